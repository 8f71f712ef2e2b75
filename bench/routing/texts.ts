/** What an application's mapper writes. */
const read =
  'select "u"."id", "u"."name", "o"."total" from "users" "u" left join "orders" "o" on "o"."user_id" = "u"."id" ' +
  'where "u"."tenant" = $1 and lower("u"."email") = lower($2) order by "o"."created_at" desc limit 20'

const pinned = 'select "id", pg_try_advisory_lock("id") from "jobs" where "state" = $1 order by "id" limit 1'

/** The same with a list of values, as long as it takes. */
function longer(text: string): string {
  return text.replace('$1', `any (array[${"'a value', ".repeat(900)}$1])`)
}

/** `plain` is seen to be a read at once; of `pinned` every token is read. */
export const texts = {
  short: { plain: read, pinned },
  long: { plain: longer(read), pinned: longer(pinned) },
} as const

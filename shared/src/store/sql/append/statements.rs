//! The statements of storing messages.

use crate::store::sql::PerDatabase;

macro_rules! before {
    ($elements:literal, $newest:literal) => {
        concat!(
            "with asked as (select value ->> 0 as id, value ->> 1 as client_id from ",
            $elements,
            ")
            select c.conversation_id, a.client_id, c.status, c.visitor_name, c.head_seq, c.event_seq, c.event_at,
                c.last_activity_at, c.message_full_at, c.day, c.day_visitor, c.day_admin, c.waiting_since, c.answers, ",
            $newest,
            " as newest, m.seq as duplicate
            from asked a join conversation c on c.conversation_id = a.id
                left join message m on m.conversation_id = a.id and m.client_id = a.client_id"
        )
    };
}
/// A row for each message that is to be stored, with its conversation; an element is the ids of both.
pub(in crate::store::sql) const BEFORE: PerDatabase = PerDatabase {
    sqlite: before!("json_each($1)", "c.newest"),
    postgres: before!("json_array_elements($1::json)", "'[]'"),
};
/// The number of the message that was stored last, on SQLite, which gives the next one to the next.
pub(super) const LAST_NUMBER: &str = "select coalesce(max(number), 0) as last from message";
/// On PostgreSQL: others wait from here to the end of the transaction. On SQLite they wait from its beginning.
pub(super) const LOCK: &str = "select 1 from conversation where conversation_id = $1 for update";
pub(super) const EMPTIED: &str =
    "update conversation set message_full_at = $2 where conversation_id = $1 and message_full_at = $3";
pub(super) const DAY: &str = "insert into conversation_day (day, conversation_id, messages_visitor, messages_admin)
    values ($1, $2, $3, $4)
    on conflict (day, conversation_id) do update set
        messages_visitor = conversation_day.messages_visitor + $3,
        messages_admin = conversation_day.messages_admin + $4";

macro_rules! head {
    ($more:literal) => {
        concat!(
            "update conversation set
            head_seq = $4, event_seq = $5, event_at = $6, last_activity_at = $7, last_sender = $8, last_preview = $9,
            last_created_at = $10, waiting_since = $11, answers = $12,
            visitor_read = case when $13 > 0 then $13 else visitor_read end,
            admin_read = case when $14 > 0 then $14 else admin_read end,
            message_full_at = $15, day_visitor = $17, day_admin = $18",
            $more,
            " where conversation_id = $1 and event_seq = $2 and message_full_at = $3"
        )
    };
}
/// Moves a conversation, unless it has had another event since it was read. On SQLite, as what follows.
pub(super) const HEAD: &str = head!(", newest = $19");
/// Likewise, with what is in an index: SQLite writes a column's indexes whenever the column is named.
pub(super) const HEAD_IN_INDEXES: &str = head!(", newest = $19, day = $16, active_minute = $7 / 60000");
pub(super) const MESSAGE: &str =
    "insert into message (conversation_id, seq, client_id, sender, via, author, message_type, content,
        created_at, edited_at, file, number)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
pub(super) const RUN: &str = "insert into message_run (conversation_id, position, numbers) values ($1, $2, $3)";
pub(super) const EVENT: &str = "insert into outbox (lane, conversation_id, position, kind, seq, at, tries, not_before)
    values ($1, $2, $3, $4, $5, $6, 0, $6)";
pub(super) const RESPONSE: &str = "insert into response (day, conversation_id, seq, milliseconds, first)
    values ($1, $2, $3, $4, $5)";

/// Everything of one message, on PostgreSQL, where each statement would be a trip of its own: that ends no wait, that no lane
/// takes, and of which the trail says nothing. A conversation that does not move is a division by zero.
pub(super) const ONE_AT_ONCE: &str = concat!(
    "with head as (",
    head!(", day = $16, active_minute = $7 / 60000"),
    " returning 1), message as (insert into message (conversation_id, seq, client_id, sender, via, author,
            message_type, content, created_at, edited_at, file)
        values ($1, $4, $19, $8, $20, $21, $22, $23, $10, $24, $25))
    select 1 / (select count(*) from head)"
);
/// Many messages. $1 and $2 are JSON arrays of [`super::plan`]'s rows, $3 how many conversations are to move.
macro_rules! many {
    ($more:literal) => {
        concat!(
            "with head as (update conversation set
                    head_seq = v.head_seq, event_seq = v.event_seq, event_at = v.event_at,
                    last_activity_at = v.last_activity_at, active_minute = v.last_activity_at / 60000,
                    last_sender = v.last_sender, last_preview = v.last_preview,
                    last_created_at = v.last_created_at, waiting_since = v.waiting_since, answers = v.answers,
                    visitor_read = case when v.visitor_read > 0 then v.visitor_read else conversation.visitor_read end,
                    admin_read = case when v.admin_read > 0 then v.admin_read else conversation.admin_read end,
                    message_full_at = v.full_at, day = v.day, day_visitor = v.day_visitor, day_admin = v.day_admin
                from json_to_recordset($1::json) as v(id text, before bigint, full_before bigint, head_seq bigint,
                    event_seq bigint, event_at bigint, last_activity_at bigint, last_sender text, last_preview text,
                    last_created_at bigint, waiting_since bigint, answers bigint, visitor_read bigint, admin_read bigint,
                    full_at bigint, day bigint, day_visitor bigint, day_admin bigint)
                where conversation.conversation_id = v.id and conversation.event_seq = v.before
                    and conversation.message_full_at = v.full_before
                returning conversation.conversation_id),
            message as (insert into message (conversation_id, seq, client_id, sender, via, author, message_type, content,
                    created_at, edited_at, file)
                select * from json_to_recordset($2::json) as v(conversation_id text, seq bigint, client_id text,
                    sender text, via text, author text, message_type text, content text, created_at bigint, edited_at bigint,
                    file text))",
            $more,
            " select 1 / case when (select count(*) from head) = $3 then 1 else 0 end"
        )
    };
}
/// Many messages of which nothing else is to be written: to begin an insert of nothing costs, too.
pub(super) const MANY_AT_ONCE: &str = many!("");
/// Everything of many: $4 to $6 are more arrays.
pub(super) const ALL_AT_ONCE: &str = many!(
    ", event as (insert into outbox (lane, conversation_id, position, kind, seq, at, tries, not_before)
        select lane, conversation_id, position, kind, seq, at, 0, at from json_to_recordset($4::json)
            as v(lane text, conversation_id text, position bigint, kind text, seq bigint, at bigint)),
    response as (insert into response (day, conversation_id, seq, milliseconds, first)
        select * from json_to_recordset($5::json)
            as v(day bigint, conversation_id text, seq bigint, milliseconds bigint, first bigint)),
    line as (insert into activity (id, created_at, session_id, name, ip, action, conversation_id, details)
        select * from json_to_recordset($6::json) as v(id text, created_at bigint, session_id text, name text, ip text,
            action text, conversation_id text, details text)
        on conflict (id) do nothing)"
);

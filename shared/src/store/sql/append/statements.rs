//! The statements of storing messages. $1 and so on are JSON arrays of [`super::plan`]'s rows.

use sqlx::Error;
use sqlx::error::DatabaseError;

use crate::store::sql::{PerDatabase, over_json};

/// A row for each message that is to be stored, with its conversation.
pub(in crate::store::sql) const BEFORE: PerDatabase = over_json!(
    "with asked as (select value ->> 0 as id, value ->> 1 as client_id from ",
    ")
    select c.conversation_id, a.client_id, c.status, c.visitor_name, c.head_seq, c.event_seq, c.event_at,
        c.last_activity_at, c.message_full_at, c.day, c.day_visitor, c.day_admin, c.waiting_since, c.answers,
        m.seq as duplicate
    from asked a join conversation c on c.conversation_id = a.id
        left join message m on m.conversation_id = a.id and m.client_id = a.client_id"
);
pub(super) const BY_SEQ: &str = "select * from message where conversation_id = $1 and seq = $2";
pub(super) const EMPTIED: &str =
    "update conversation set message_full_at = $2 where conversation_id = $1 and message_full_at = $3";
pub(super) const DAY: &str = "insert into conversation_day (day, conversation_id, messages_visitor, messages_admin)
    values ($1, $2, $3, $4)
    on conflict (day, conversation_id) do update set
        messages_visitor = conversation_day.messages_visitor + $3,
        messages_admin = conversation_day.messages_admin + $4";

/// A conversation that has had another event since it was read is not moved.
/// Each element is kept as a value of its own: SQLite would write it anew for each of its parts.
macro_rules! heads {
    ($each:literal) => {
        concat!(
            "with e as materialized (select value from ",
            $each,
            ") update conversation set
                head_seq = v.head_seq, event_seq = v.event_seq, event_at = v.event_at,
                last_activity_at = v.last_activity_at, last_sender = v.last_sender, last_preview = v.last_preview,
                last_created_at = v.last_created_at, waiting_since = v.waiting_since, answers = v.answers,
                visitor_read = case when v.visitor_read > 0 then v.visitor_read else conversation.visitor_read end,
                admin_read = case when v.admin_read > 0 then v.admin_read else conversation.admin_read end,
                message_full_at = v.full_at, day = v.day, day_visitor = v.day_visitor, day_admin = v.day_admin
            from (select value ->> 'id' as id, cast(value ->> 'before' as bigint) as before,
                cast(value ->> 'full_before' as bigint) as full_before,
                cast(value ->> 'head_seq' as bigint) as head_seq, cast(value ->> 'event_seq' as bigint) as event_seq,
                cast(value ->> 'event_at' as bigint) as event_at,
                cast(value ->> 'last_activity_at' as bigint) as last_activity_at,
                value ->> 'last_sender' as last_sender, value ->> 'last_preview' as last_preview,
                cast(value ->> 'last_created_at' as bigint) as last_created_at,
                cast(value ->> 'waiting_since' as bigint) as waiting_since,
                cast(value ->> 'answers' as bigint) as answers,
                cast(value ->> 'visitor_read' as bigint) as visitor_read,
                cast(value ->> 'admin_read' as bigint) as admin_read, cast(value ->> 'full_at' as bigint) as full_at,
                cast(value ->> 'day' as bigint) as day, cast(value ->> 'day_visitor' as bigint) as day_visitor,
                cast(value ->> 'day_admin' as bigint) as day_admin
            from e) v
            where conversation.conversation_id = v.id and conversation.event_seq = v.before
                and conversation.message_full_at = v.full_before"
        )
    };
}
macro_rules! messages {
    ($each:literal) => {
        concat!(
            "with e as materialized (select value from ",
            $each,
            ") insert into message (conversation_id, seq, id, client_id, sender, via, author, message_type, content,
                created_at, edited_at, file)
            select value ->> 'conversation_id', cast(value ->> 'seq' as bigint), value ->> 'id', value ->> 'client_id',
                value ->> 'sender', value ->> 'via', value ->> 'author', value ->> 'message_type', value ->> 'content',
                cast(value ->> 'created_at' as bigint), cast(value ->> 'edited_at' as bigint), value ->> 'file'
            from e"
        )
    };
}
macro_rules! events {
    ($each:literal) => {
        concat!(
            "with e as materialized (select value from ",
            $each,
            ") insert into outbox (lane, conversation_id, position, kind, seq, at, tries, not_before)
            select value ->> 'lane', value ->> 'conversation_id', cast(value ->> 'position' as bigint), value ->> 'kind',
                cast(value ->> 'seq' as bigint), cast(value ->> 'at' as bigint), 0, cast(value ->> 'at' as bigint)
            from e"
        )
    };
}
macro_rules! responses {
    ($each:literal) => {
        concat!(
            "with e as materialized (select value from ",
            $each,
            ") insert into response (day, conversation_id, seq, milliseconds, first)
            select cast(value ->> 'day' as bigint), value ->> 'conversation_id', cast(value ->> 'seq' as bigint),
                cast(value ->> 'milliseconds' as bigint), cast(value ->> 'first' as bigint)
            from e"
        )
    };
}
/// Who is to hear of it.
macro_rules! listeners {
    ($each:literal) => {
        concat!(
            "select n.conversation_id, n.connection_id, n.side from connection n
                where n.conversation_id in (select value ->> 'id' from ",
            $each,
            ") and n.expires_at > $6
            union all
            select null, n.connection_id, n.side from connection n where n.side = 'admin' and n.expires_at > $6"
        )
    };
}
macro_rules! sqlite {
    ($begin:literal, $commit:literal) => {
        concat!(
            $begin,
            heads!("json_each($1)"),
            // Null is not allowed there: the script ends when a conversation was not moved.
            "; insert into turnstile (name, turns) select 'append', null where changes() <> $5; ",
            messages!("json_each($2)"),
            "; ",
            events!("json_each($3)"),
            "; ",
            responses!("json_each($4)"),
            "; ",
            listeners!("json_each($1)"),
            $commit
        )
    };
}
const POSTGRES: &str = concat!(
    "with head as (",
    heads!("json_array_elements($1::json)"),
    " returning 1), message as (",
    messages!("json_array_elements($2::json)"),
    "), event as (",
    events!("json_array_elements($3::json)"),
    "), response as (",
    responses!("json_array_elements($4::json)"),
    ") ",
    listeners!("json_array_elements($1::json)"),
    " union all
    select case when 1 / case when (select count(*) from head) = $5 then 1 else 0 end = 1 then null end, null, null"
);
/// Everything, within a transaction; a row for each socket that is to hear of it. $5: how many conversations are to move, $6:
/// now.
pub(super) const WRITE: PerDatabase = PerDatabase { sqlite: sqlite!("", ""), postgres: POSTGRES };
/// Everything, as a transaction.
pub(super) const WRITE_IN_ALL: PerDatabase =
    PerDatabase { sqlite: sqlite!("begin immediate; ", "; commit"), postgres: POSTGRES };

/// One conversation with one message, which needs no arrays.
macro_rules! head {
    () => {
        "update conversation set
            head_seq = $4, event_seq = $5, event_at = $6, last_activity_at = $7, last_sender = $8, last_preview = $9,
            last_created_at = $10, waiting_since = $11, answers = $12,
            visitor_read = case when $13 > 0 then $13 else visitor_read end,
            admin_read = case when $14 > 0 then $14 else admin_read end,
            message_full_at = $15, day = $16, day_visitor = $17, day_admin = $18
        where conversation_id = $1 and event_seq = $2 and message_full_at = $3"
    };
}
macro_rules! message {
    () => {
        "insert into message (conversation_id, seq, id, client_id, sender, via, author, message_type, content, created_at,
            edited_at, file)
        values ($1, $4, $19, $20, $8, $21, $22, $23, $24, $10, $25, $26)"
    };
}
macro_rules! listeners_of_one {
    () => {
        "select n.conversation_id, n.connection_id, n.side from connection n
            where n.conversation_id = $1 and n.expires_at > $27
        union all
        select null, n.connection_id, n.side from connection n where n.side = 'admin' and n.expires_at > $27"
    };
}
/// The most common of all writes, as a transaction: a message that ends no wait and that no lane takes.
pub(super) const WRITE_ONE: PerDatabase = PerDatabase {
    sqlite: concat!(
        "begin immediate; ",
        head!(),
        "; insert into turnstile (name, turns) select 'append', null where changes() <> 1; ",
        message!(),
        "; ",
        listeners_of_one!(),
        "; commit"
    ),
    postgres: concat!(
        "with head as (",
        head!(),
        " returning 1), message as (",
        message!(),
        ") ",
        listeners_of_one!(),
        " union all
        select case when 1 / case when (select count(*) from head) = 1 then 1 else 0 end = 1 then null end, null, null"
    ),
};

/// Whether a conversation that was to move did not: a null on SQLite, on PostgreSQL a division by zero.
pub(super) fn has_moved_already(error: &Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    matches!(code.as_deref(), Some("1299" | "22012"))
}

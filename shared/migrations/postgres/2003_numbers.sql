-- As in SQLite's 1006.
create table message_in_order (
    number bigint primary key generated always as identity,
    conversation_id text not null,
    seq bigint not null,
    client_id text not null,
    sender text not null,
    via text not null,
    author text not null,
    message_type text not null,
    content text not null,
    created_at bigint not null,
    edited_at bigint,
    file text,
    reaction text
);
insert into message_in_order (conversation_id, seq, client_id, sender, via, author, message_type, content, created_at, edited_at,
        file, reaction)
    select conversation_id, seq, client_id, sender, via, author, message_type, content, created_at, edited_at, file, reaction
    from message order by id;
drop table message;
alter table message_in_order rename to message;
create unique index message_by_place on message (conversation_id, seq);
create unique index message_by_client_id on message (conversation_id, client_id);
-- Each message writes its conversation's row anew: with room beside it that costs no entry in any index.
alter table conversation set (fillfactor = 70);

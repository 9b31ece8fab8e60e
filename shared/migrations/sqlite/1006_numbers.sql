-- Messages in the order in which they were stored: what is stored together stands together, whichever conversations it belongs to.
-- A message is found by its conversation and place, which are its id, too. It needs no reference to its conversation: it is
-- stored only with a change of its conversation's row, and erased with it.
create table message_in_order (
    number integer primary key,
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

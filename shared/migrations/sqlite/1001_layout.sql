-- Rows that stand in their primary key, so that a new one is written once and not twice. PostgreSQL has no such tables.
create table message_in_key (
    conversation_id text not null references conversation (conversation_id) on delete cascade,
    seq bigint not null,
    id text not null unique,
    client_id text not null,
    sender text not null,
    via text not null,
    author text not null,
    message_type text not null,
    content text not null,
    created_at bigint not null,
    edited_at bigint,
    file text,
    reaction text,
    primary key (conversation_id, seq),
    unique (conversation_id, client_id)
) without rowid;
insert into message_in_key select conversation_id, seq, id, client_id, sender, via, author, message_type, content, created_at,
    edited_at, file, reaction from message;
drop table message;
alter table message_in_key rename to message;

drop table search_words;
create table search_words (
    prefix bigint not null,
    block bigint not null,
    messages text not null,
    primary key (prefix, block)
) without rowid;

create table outbox_in_key (
    lane text not null,
    conversation_id text not null,
    position bigint not null,
    kind text not null,
    seq bigint not null,
    at bigint not null,
    tries bigint not null,
    not_before bigint not null,
    primary key (lane, conversation_id, position)
) without rowid;
insert into outbox_in_key select * from outbox;
drop table outbox;
alter table outbox_in_key rename to outbox;
create index outbox_by_age on outbox (lane, at, conversation_id, position);
create index outbox_by_conversation on outbox (conversation_id);

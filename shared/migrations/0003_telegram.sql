-- Operators in Telegram: who has a conversation, notes, files, topics, private chats; and settings made while Parley runs.
alter table conversation add column country text;
alter table conversation add column address text;
alter table conversation add column claimed_by text;
alter table conversation add column claimed_at bigint;
alter table conversation add column visitor_chat_id bigint;
-- How many notes it has had.
alter table conversation add column notes bigint not null default 0;
create unique index conversation_by_visitor_chat on conversation (visitor_chat_id);

alter table message add column reaction text;
alter table connection add column country text;
alter table login_code add column approved bigint not null default 0;
alter table telegram_update add column answer text;
alter table telegram_update add column aside text;

create table note (
    conversation_id text not null references conversation (conversation_id) on delete cascade,
    seq bigint not null,
    id text not null,
    author text not null,
    via text not null,
    content text not null,
    created_at bigint not null,
    primary key (conversation_id, seq),
    unique (conversation_id, id)
);

create table attachment (
    conversation_id text not null references conversation (conversation_id) on delete cascade,
    id text not null,
    source text,
    name text not null,
    mime text not null,
    size bigint not null,
    -- JSON.
    state text not null,
    primary key (conversation_id, id)
);

create table telegram_mirror (
    conversation_id text primary key references conversation (conversation_id) on delete cascade,
    -- JSON.
    mirror text not null
);

create table telegram_start (
    token_hash text primary key,
    conversation_id text not null references conversation (conversation_id) on delete cascade,
    expires_at bigint not null
);
create index telegram_start_by_conversation on telegram_start (conversation_id);
create index telegram_start_by_end on telegram_start (expires_at);

create table setting (
    name text primary key,
    value text not null
);

create table operator_presence (
    operator text primary key,
    until bigint not null
);
create index operator_presence_by_end on operator_presence (until);

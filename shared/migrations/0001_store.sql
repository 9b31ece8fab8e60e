-- One text for SQLite and PostgreSQL: columns are TEXT and BIGINT only, booleans are 0 and 1, times are milliseconds.

create table conversation (
    conversation_id text primary key,
    resume_hash text not null,
    site text not null,
    visitor_name text not null,
    locale text,
    page_url text,
    referrer text,
    user_agent text,
    status text not null,
    created_at bigint not null,
    last_activity_at bigint not null,
    last_sender text,
    last_preview text,
    last_created_at bigint,
    head_seq bigint not null,
    visitor_read bigint not null,
    admin_read bigint not null,
    waiting_since bigint,
    -- The wait that the newest message of an admin ended, and how many waits admins have ended so far.
    answered_since bigint,
    answers bigint not null,
    -- A JSON array; conversation_tag is its index.
    tags text not null,
    -- The newest event's place and time; its time never goes back, so that the outbox may be sorted by it.
    event_seq bigint not null,
    event_at bigint not null
);
create index conversation_by_activity on conversation (last_activity_at, conversation_id);
create index conversation_by_status on conversation (status, last_activity_at, conversation_id);
create index conversation_by_site on conversation (site, last_activity_at, conversation_id);
create index conversation_by_site_and_status on conversation (site, status, last_activity_at, conversation_id);
create index conversation_by_beginning on conversation (created_at);

create table conversation_tag (
    tag text not null,
    conversation_id text not null references conversation (conversation_id) on delete cascade,
    primary key (tag, conversation_id)
);
create index conversation_tag_by_conversation on conversation_tag (conversation_id);

create table message (
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
    -- JSON, or null.
    file text,
    primary key (conversation_id, seq),
    unique (conversation_id, client_id)
);

create table conversation_day (
    day bigint not null,
    conversation_id text not null references conversation (conversation_id) on delete cascade,
    messages_visitor bigint not null,
    messages_admin bigint not null,
    primary key (day, conversation_id)
);
create index conversation_day_by_conversation on conversation_day (conversation_id);

-- One row for each wait that an admin ended.
create table response (
    day bigint not null,
    conversation_id text not null references conversation (conversation_id) on delete cascade,
    seq bigint not null,
    milliseconds bigint not null,
    -- 1 for the first of its conversation.
    first bigint not null,
    primary key (conversation_id, seq)
);
create index response_by_day on response (day, milliseconds);

-- prefix: 63 bits of the SHA-256 of the beginning of a word. seq 0 stands for the visitor's name.
create table search_posting (
    prefix bigint not null,
    at bigint not null,
    conversation_id text not null references conversation (conversation_id) on delete cascade,
    seq bigint not null,
    primary key (prefix, at, conversation_id, seq)
);
create index search_posting_by_conversation on search_posting (conversation_id, seq);
create index search_posting_by_prefix_and_conversation on search_posting (prefix, conversation_id, seq);

create table telegram_link (
    chat_id bigint not null,
    message_id bigint not null,
    conversation_id text not null references conversation (conversation_id) on delete cascade,
    seq bigint not null,
    primary key (chat_id, message_id)
);
create index telegram_link_by_conversation on telegram_link (conversation_id, chat_id, message_id);

create table telegram_update (
    update_id bigint primary key,
    expires_at bigint not null
);
create index telegram_update_by_end on telegram_update (expires_at);

create table outbox (
    lane text not null,
    conversation_id text not null,
    position bigint not null,
    kind text not null,
    seq bigint not null,
    at bigint not null,
    tries bigint not null,
    not_before bigint not null,
    primary key (lane, conversation_id, position)
);
create index outbox_by_age on outbox (lane, at, conversation_id, position);
create index outbox_by_conversation on outbox (conversation_id);

create table connection (
    connection_id text primary key,
    side text not null,
    conversation_id text,
    session_id text,
    ip text not null,
    user_agent text,
    connected_at bigint not null,
    expires_at bigint not null
);
create index connection_by_conversation on connection (conversation_id, expires_at);
create index connection_by_session on connection (session_id, expires_at);
create index connection_by_side on connection (side, expires_at);
create index connection_by_ip on connection (ip, expires_at);
create index connection_by_end on connection (expires_at);

-- A row to lock where rows are counted before one is added.
create table turnstile (
    name text primary key,
    turns bigint not null
);
insert into turnstile (name, turns) values ('connection', 0);

create table session (
    session_id text primary key,
    name text not null,
    ip text not null,
    user_agent_hash text not null,
    created_at bigint not null,
    expires_at bigint not null,
    last_used_at bigint not null,
    rotated_at bigint not null
);
create index session_by_end on session (expires_at);

-- grace_until is null for the present token.
create table session_token (
    token_hash text primary key,
    session_id text not null references session (session_id) on delete cascade,
    grace_until bigint
);
create index session_token_by_session on session_token (session_id);
create index session_token_by_end on session_token (grace_until);

create table ticket (
    ticket_hash text primary key,
    session_id text not null references session (session_id) on delete cascade,
    expires_at bigint not null
);
create index ticket_by_session on ticket (session_id);
create index ticket_by_end on ticket (expires_at);

create table login_code (
    challenge_hash text primary key,
    code_hash text not null,
    tries bigint not null,
    created_at bigint not null,
    expires_at bigint not null
);
create index login_code_by_end on login_code (expires_at);

-- full_at: when the bucket is full again; a row whose full_at has passed says nothing any more.
create table bucket (
    key text primary key,
    full_at bigint not null,
    granted bigint not null
);
create index bucket_by_end on bucket (full_at);

create table lease (
    name text primary key,
    owner text not null,
    until bigint not null
);

create table activity (
    id text primary key,
    created_at bigint not null,
    session_id text,
    name text,
    ip text not null,
    action text not null,
    conversation_id text,
    details text not null
);

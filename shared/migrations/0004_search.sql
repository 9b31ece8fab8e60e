-- The index keeps what begins alike together: one row for a beginning and a block of a few hundred messages, instead of one row for
-- a beginning and a message. Messages newer than the last block are read themselves until they fill the next one.
-- prefix: 63 bits of the SHA-256 of the beginning of a word.

-- A block ends with last_id, the id of its newest message; ids sort by the time they were made.
create table search_block (
    block bigint primary key,
    last_id text not null unique
);

create table search_words (
    prefix bigint not null,
    block bigint not null,
    -- The ids of the messages, 22 characters of base64 each.
    messages text not null,
    primary key (prefix, block)
);

create table search_name (
    prefix bigint not null,
    conversation_id text not null references conversation (conversation_id) on delete cascade,
    primary key (prefix, conversation_id)
);
create index search_name_by_conversation on search_name (conversation_id);
insert into search_name (prefix, conversation_id) select distinct prefix, conversation_id from search_posting where seq = 0;

-- Messages are taken into the index anew, block by block.
drop table search_posting;
delete from outbox where lane = 'index';

-- Changes of what is in the index wait for each other.
insert into turnstile (name, turns) values ('search', 0);

-- Every message moves its conversation in each of these; two of the four serve all lists.
drop index conversation_by_activity;
drop index conversation_by_site;
alter table conversation drop column answered_since;

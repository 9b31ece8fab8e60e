-- Our pages begin a client_id with the time, so that what is stored together stands together in this index, too. It serves
-- any other client_id as well, on a page of its own.
drop index message_by_client_id;
create unique index message_by_client_id on message (client_id, conversation_id);

-- A conversation's name is erased by its words, which stand in its row: it needs neither an index nor a reference to it.
create table search_name_in_key (
    prefix bigint not null,
    conversation_id text not null,
    primary key (prefix, conversation_id)
) without rowid;
insert into search_name_in_key (prefix, conversation_id) select prefix, conversation_id from search_name;
drop table search_name;
alter table search_name_in_key rename to search_name;

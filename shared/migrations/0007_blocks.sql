-- The index refers to messages by their numbers, so that neither their times nor their ids are sorted anywhere. What was written is
-- taken into it anew, block by block.
delete from search_words;
drop table search_block;
-- A block ends with the message of this number. Where the newest messages are erased, that is the newest of those that are left.
create table search_block (
    block bigint primary key,
    last bigint not null
);
create index search_block_by_end on search_block (last, block);

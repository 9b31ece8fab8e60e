//! What every store must do: each method of each trait, each sentence of their documentation.

mod append;
mod approval;
mod attachments;
mod bill;
mod buckets;
mod budget;
mod chats;
mod claims;
mod connections;
mod conversations;
mod deletion;
mod durability;
mod flat;
mod links;
mod list;
mod make;
mod messages;
mod notes;
mod objects;
mod outbox;
mod records;
mod search;
mod sessions;
mod statistics;
mod storms;
mod upkeep;

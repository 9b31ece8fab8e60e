//! What people get, told over real sockets and HTTP on SQLite and PostgreSQL.

mod company;
mod conversation;
mod crash;
mod errors;
mod front;
mod limits;
mod login;
mod paging;
mod recovery;
mod secrets;
mod sessions;
mod sockets;
mod team;
mod upkeep;

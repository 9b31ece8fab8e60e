//! What people get, told over real sockets and HTTP on SQLite and PostgreSQL.

mod company;
mod conversation;
mod crash;
mod errors;
mod limits;
mod paging;
mod recovery;
mod sockets;

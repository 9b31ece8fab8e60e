//! The gateway keeps API Gateway's rules, over real sockets and with functions that do as they are told.

mod api_gateway;
mod background;
mod closing;
mod pushing;
mod rest;
mod stage;
mod upgrade;

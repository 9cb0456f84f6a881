//! Tests of the three example servers as processes over sockets: access, answers, shutdown and restart,
//! and the commands that they print.

mod endings;
mod grpc;
mod http1;
mod invoices;
mod management;
mod pages;
mod printed;
mod server;
mod starting;
mod wire;

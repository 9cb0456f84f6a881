//! The three servers among the examples, driven as processes over sockets: who is let in, what is
//! answered, what a stop leaves behind, and that each line that they print does what it says.

mod endings;
mod grpc;
mod http1;
mod invoices;
mod management;
mod printed;
mod server;
mod starting;
mod wire;

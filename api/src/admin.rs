//! What `charthouse admin` asks for, and how it gets there.
//!
//! Only one process appends to an embedded log. So while a server runs on the data folder, `admin` hands its request to
//! that server over a socket in the folder, one line of JSON each way; otherwise it carries the request out itself.
//! Whoever may use the folder may use the socket: both are the owner's alone.

mod people;
mod request;
mod socket;

pub use self::{
    people::{NewToken, Secret},
    request::{AdminAnswer, AdminError, AdminPlace, AdminRequest},
    socket::{AdminSocket, ask},
};

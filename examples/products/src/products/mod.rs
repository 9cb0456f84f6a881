//! The five products, each in one file.

pub mod fleetdesk;
pub mod gatepost;
pub mod globex;
pub mod ledgerline;
pub mod workbase;

use crate::product::{Product, Site};

/// The products, in the order of the start page.
pub const ALL: [&Product; 5] = [
    workbase::Workbase::PRODUCT,
    ledgerline::Ledgerline::PRODUCT,
    gatepost::Gatepost::PRODUCT,
    fleetdesk::Fleetdesk::PRODUCT,
    globex::Globex::PRODUCT,
];

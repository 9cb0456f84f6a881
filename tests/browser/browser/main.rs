//! The page in Chromium, used as a person uses it: elements are found by the names that the browser gives them.

mod accessible;
mod attacks;
mod driver;
mod find;
mod host;
mod journeys;
mod machinery;
mod pictures;
mod screens;
mod service;
mod steps;
mod tab;
mod wire;

common::suite!();

//! The providers that tests play: that each refuses what the real one refuses, and that the program
//! works with every one of them.

#[path = "../support/emulator/mod.rs"]
mod emulator;
#[path = "../support/mod.rs"]
mod support;

mod access;
mod addressing;
mod ask;
mod contract;
mod doctor;
mod few_parts;
mod objects;
mod signing;
mod trouble;
mod uploads;

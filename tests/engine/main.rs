//! The engine on real servers: accounts, what was agreed to, the archive, what is asked for from afar, the list of datasets,
//! company, interruptions, kills, undo, verifying, the course of a run.

mod accounts;
mod agreed;
mod archive;
mod asked;
mod catalog;
mod clients;
mod collections;
mod company;
mod corrections;
mod divide;
mod inspect;
mod interruption;
mod kills;
mod lease;
mod pace;
mod permits;
mod replica_set;
mod rights;
mod step_down;
mod timeline;
mod undo;
mod verify;

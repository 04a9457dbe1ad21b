//! The engine on real servers: the archive, company, interruptions, kills, undo, verifying.

mod archive;
mod collections;
mod company;
mod divide;
mod interruption;
mod kills;
mod lease;
mod pace;
mod replica_set;
mod step_down;
mod undo;
mod verify;

//! The command line, as people use it: the program itself, against servers of its own.

mod connection;
mod database;
mod doctor;
mod failures;
mod full_disk;
mod info;
mod media;
mod media_kills;
mod media_stores;
mod moves;
mod moves_kills;
mod output;
mod people;
mod reading;
mod rename;
mod rights;
mod runs;
mod takeover;
mod undo;
mod usage;
mod watch;

//! Who carries a run out, and whether they still do.

use std::{env, fs, process};

use nix::unistd::{User, gethostname, getuid};

use crate::{store::Holder, versions::newest};

impl Holder {
    /// This process.
    pub fn this() -> Self {
        let pid = process::id();
        let host = gethostname().ok().and_then(|it| it.into_string().ok());
        let user = User::from_uid(getuid()).ok().flatten().map(|it| it.name);
        Self {
            // A container may run as a number that has no name.
            user: user.or_else(|| env::var("USER").ok()).unwrap_or_else(|| getuid().to_string()),
            host: host.unwrap_or_else(|| "unknown".to_owned()),
            pid,
            started: started(pid).unwrap_or_default(),
            machine: machine().unwrap_or_default(),
            program: program(),
        }
    }

    /// `user@host`.
    pub fn name(&self) -> String {
        format!("{}@{}", self.user, self.host)
    }

    /// Whether the process is known to have ended: only of one on this machine, and only if it can be told apart from
    /// all others.
    pub fn is_gone(&self) -> bool {
        let here = machine().is_some_and(|it| it == self.machine);
        here && self.started != 0 && started(self.pid) != Some(self.started)
    }
}

/// Which program this is.
fn program() -> String {
    format!("{} {}", env!("CARGO_PKG_VERSION"), newest())
}

/// When a process started, in ticks since the kernel did.
fn started(pid: u32) -> Option<i64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything; nothing after it does.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    // A zombie carries nothing out.
    if state == "Z" { None } else { fields.nth(18)?.parse().ok() }
}

/// The running kernel and the numbering of its processes that we see.
fn machine() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let numbering = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), numbering.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_knows_itself_and_sees_when_another_has_ended() {
        let this = Holder::this();
        assert!(!this.is_gone());
        let mut child = process::Command::new("sleep").arg("60").spawn().unwrap();
        let other =
            Holder { pid: child.id(), started: started(child.id()).unwrap(), ..this.clone() };
        assert!(!other.is_gone());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(other.is_gone());
        // The same number, given to another process.
        assert!(Holder { started: this.started - 1, ..this }.is_gone());
    }

    #[test]
    fn a_process_on_another_machine_is_never_known_to_be_gone() {
        let elsewhere =
            Holder { machine: "another".to_owned(), pid: u32::MAX, started: 1, ..Holder::this() };
        assert!(!elsewhere.is_gone());
        let unknown = Holder { started: 0, pid: u32::MAX, ..Holder::this() };
        assert!(!unknown.is_gone());
    }
}

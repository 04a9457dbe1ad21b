//! Printing: text for people, one JSON document for scripts, sentences about errors for both.

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use engine::DatasetReport;
use serde::Serialize;
use serde_json::json;

/// Exit status of a command that was refused or failed.
pub const FAILED: u8 = 1;
/// Exit status of a command that makes no sense.
pub const USAGE: u8 = 2;
/// Exit status of a command that went through, but not with every dataset.
pub const INCOMPLETE: u8 = 3;

/// Where everything is printed.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
}

impl Output {
    /// Prints JSON or text.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether JSON is printed.
    pub fn is_json(self) -> bool {
        self.json
    }

    /// Whether a person watches.
    pub fn is_watched(self) -> bool {
        !self.json && io::stderr().is_terminal()
    }

    /// A line of text; nothing if JSON is printed.
    pub fn line(self, text: &str) {
        if !self.json {
            write(io::stdout(), text);
        }
    }

    /// A line about something that is not as it should be.
    pub fn warning(self, text: &str) {
        if !self.json {
            write(io::stderr(), text);
        }
    }

    /// The one JSON document of a command; nothing if text is printed.
    pub fn document(self, document: &impl Serialize) {
        if self.json {
            let text = serde_json::to_string_pretty(document);
            write(
                io::stdout(),
                &text.unwrap_or_else(|it| json!({ "error": it.to_string() }).to_string()),
            );
        }
    }

    /// A command that could not be done.
    pub fn error(self, sentence: &str) -> ExitCode {
        self.sentence(sentence);
        ExitCode::from(FAILED)
    }

    /// A command that could not be done after these datasets could not be migrated.
    pub fn error_after(self, sentence: &str, failed: &[DatasetReport]) -> ExitCode {
        self.document(&json!({ "error": sentence, "datasets": failed }));
        self.warning(&format!("error: {sentence}"));
        ExitCode::from(FAILED)
    }

    /// A command that makes no sense.
    pub fn usage_error(self, sentence: &str) -> ExitCode {
        self.sentence(sentence);
        ExitCode::from(USAGE)
    }

    fn sentence(self, sentence: &str) {
        self.document(&json!({ "error": sentence }));
        self.warning(&format!("error: {sentence}"));
    }
}

fn write(mut to: impl Write, text: &str) {
    // Names are other people's: nothing in them shall be an order to the terminal.
    let text: String = text.chars().flat_map(harmless).collect();
    // A reader that went away (`| head`) is no reason to fail.
    writeln!(to, "{text}").ok();
}

fn harmless(letter: char) -> Vec<char> {
    if letter.is_control() && letter != '\n' {
        letter.escape_default().collect()
    } else {
        vec![letter]
    }
}

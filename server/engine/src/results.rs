//! Changing a few keys of a JSON file that may be larger than memory.
//!
//! Differs from Python, which reads a whole file of run results and writes it anew: here all that was not
//! asked for stays as it is, byte for byte, spaces and `NaN` included.

use std::mem;

/// How deep lists and objects may be nested. Python gives up at about the same depth.
const DEEPEST: usize = 1_000;

/// Stands in a key for half a surrogate pair. Never part of UTF-8, so never part of a key to set.
const LONE_SURROGATE: u8 = 0xff;

/// Reads a JSON object piece by piece and writes it with some top-level values replaced.
///
/// Memory does not grow with the file, only with how deep it is nested. To only check a file, set nothing and
/// throw away what is written.
#[derive(Debug)]
pub struct Rewriter {
    settings: Vec<Setting>,
    longest: usize,
    state: State,
    /// What is open, outermost first.
    open: Vec<Container>,
    /// The key being read, decoded, up to one byte more than the longest that is looked for.
    key: Vec<u8>,
    /// The first half of a surrogate pair in the key.
    surrogate: Option<u16>,
    /// The setting whose value comes next.
    matched: Option<usize>,
    /// Whether what is read now is part of a value that was replaced.
    skipping: bool,
    /// Whether the object has a key.
    inhabited: bool,
    offset: u64,
}

/// Why something is not one JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnObject {
    /// It is not JSON, or something stands before or after the object.
    #[error("not a JSON object: the byte at {offset} does not belong there")]
    Unexpected {
        /// Bytes before it.
        offset: u64,
    },
    /// It is nested deeper than anything that FiftyOne could have written.
    #[error("not a readable JSON object: at byte {offset} it is nested more than {DEEPEST} deep")]
    TooDeep {
        /// Bytes before it.
        offset: u64,
    },
    /// The end is missing.
    #[error("not a JSON object: it ends after {length} bytes, in the middle")]
    Unfinished {
        /// Bytes in all.
        length: u64,
    },
}

#[derive(Debug)]
struct Setting {
    key: String,
    text: String,
    done: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Container {
    Object,
    List,
}

/// What has been read last, and so what may come next.
#[derive(Clone, Copy, Debug)]
enum State {
    /// Nothing.
    Start,
    /// `{`
    ObjectOpened,
    /// A comma in an object.
    KeyExpected,
    /// A key.
    ColonExpected,
    /// A colon, or a comma in a list.
    ValueExpected,
    /// `[`
    ListOpened,
    /// A part of a text.
    Text { key: bool, at: Text },
    /// A part of a number.
    Number(Number),
    /// A part of a word such as `null`; the rest of it.
    Word(&'static [u8]),
    /// A value.
    ValueEnded,
    /// The object.
    End,
}

#[derive(Clone, Copy, Debug)]
enum Text {
    Plain,
    /// A backslash.
    Escape,
    /// `\u` and some of its four digits.
    Unicode {
        missing: u8,
        value: u16,
    },
    /// A part of a character of several bytes; the next one is between these.
    Character {
        missing: u8,
        low: u8,
        high: u8,
    },
}

#[derive(Clone, Copy, Debug)]
enum Number {
    Minus,
    Zero,
    Whole,
    Point,
    Fraction,
    Exponent,
    ExponentSign,
    Power,
}

impl Rewriter {
    /// Sets each of these top-level keys to a JSON text: in place where the key is there, else at the end.
    pub fn new<'s>(set: impl IntoIterator<Item = (&'s str, &'s str)>) -> Self {
        let settings: Vec<Setting> = set
            .into_iter()
            .map(|(key, text)| Setting { key: key.to_owned(), text: text.to_owned(), done: false })
            .collect();
        Self {
            longest: settings.iter().map(|it| it.key.len()).max().unwrap_or(0),
            settings,
            state: State::Start,
            open: Vec::new(),
            key: Vec::new(),
            surrogate: None,
            matched: None,
            skipping: false,
            inhabited: false,
            offset: 0,
        }
    }

    /// Reads the next bytes of the file, and adds what becomes of them to `out`.
    ///
    /// # Errors
    ///
    /// If this cannot be a JSON object; then what was written so far is of no use.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), NotAnObject> {
        out.reserve(chunk.len());
        for &byte in chunk {
            self.step(byte, out)?;
            self.offset += 1;
        }
        Ok(())
    }

    /// Says that there are no more bytes.
    ///
    /// # Errors
    ///
    /// If the object has not ended.
    pub fn finish(self) -> Result<(), NotAnObject> {
        match self.state {
            State::End => Ok(()),
            _ => Err(NotAnObject::Unfinished { length: self.offset }),
        }
    }

    fn step(&mut self, byte: u8, out: &mut Vec<u8>) -> Result<(), NotAnObject> {
        // Only what follows a number shows that it has ended.
        if let State::Number(number) = self.state
            && number.is_whole()
            && number.then(byte).is_none()
        {
            self.state = self.ended();
        }
        let skipped = self.skipping;
        self.state = self.read(byte, out)?;
        if !skipped && !self.skipping {
            out.push(byte);
        }
        Ok(())
    }

    fn read(&mut self, byte: u8, out: &mut Vec<u8>) -> Result<State, NotAnObject> {
        let blank = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        match (self.state, byte) {
            (State::Text { key, at }, _) => self.read_text(key, at, byte),
            (State::Word([first, rest @ ..]), _) if byte == *first => {
                Ok(if rest.is_empty() { self.ended() } else { State::Word(rest) })
            }
            (State::Number(Number::Minus), b'I') => Ok(State::Word(b"nfinity")),
            (State::Number(number), _) => {
                number.then(byte).map(State::Number).ok_or_else(|| self.unexpected())
            }
            (State::Word(_), _) => Err(self.unexpected()),
            (state, _) if blank => Ok(state),

            (State::Start, b'{') => self.opened(Container::Object),
            (State::ObjectOpened | State::KeyExpected, b'"') => {
                self.key.clear();
                self.surrogate = None;
                Ok(State::Text { key: true, at: Text::Plain })
            }
            (State::ColonExpected, b':') => Ok(State::ValueExpected),
            (State::ListOpened | State::ValueEnded, b']')
            | (State::ObjectOpened | State::ValueEnded, b'}') => self.closed(byte, out),
            (State::ValueEnded, b',') => Ok(match self.open.last() {
                Some(Container::Object) => State::KeyExpected,
                Some(Container::List) | None => State::ValueExpected,
            }),
            (State::ValueExpected | State::ListOpened, _) => self.read_value(byte, out),
            _ => Err(self.unexpected()),
        }
    }

    fn read_value(&mut self, byte: u8, out: &mut Vec<u8>) -> Result<State, NotAnObject> {
        if let Some(setting) = self.matched.take().and_then(|it| self.settings.get_mut(it)) {
            out.extend_from_slice(setting.text.as_bytes());
            setting.done = true;
            self.skipping = true;
        }
        match byte {
            b'{' => self.opened(Container::Object),
            b'[' => self.opened(Container::List),
            b'"' => Ok(State::Text { key: false, at: Text::Plain }),
            b'-' => Ok(State::Number(Number::Minus)),
            b'0' => Ok(State::Number(Number::Zero)),
            b'1'..=b'9' => Ok(State::Number(Number::Whole)),
            b't' => Ok(State::Word(b"rue")),
            b'f' => Ok(State::Word(b"alse")),
            b'n' => Ok(State::Word(b"ull")),
            // Not JSON, but what Python writes.
            b'N' => Ok(State::Word(b"aN")),
            b'I' => Ok(State::Word(b"nfinity")),
            _ => Err(self.unexpected()),
        }
    }

    fn read_text(&mut self, key: bool, at: Text, byte: u8) -> Result<State, NotAnObject> {
        let next = match (at, byte) {
            (Text::Plain, b'"') if key => return Ok(self.key_ended()),
            (Text::Plain, b'"') => return Ok(self.ended()),
            (Text::Plain, b'\\') => Text::Escape,
            (Text::Plain, 0x20..=0x7f) => self.spell(key, byte, Text::Plain),
            (Text::Plain, _) => {
                let (missing, low, high) = continuation(byte).ok_or_else(|| self.unexpected())?;
                self.spell(key, byte, Text::Character { missing, low, high })
            }
            (Text::Character { missing, low, high }, _) if (low..=high).contains(&byte) => {
                let next = match missing {
                    1 => Text::Plain,
                    _ => Text::Character { missing: missing - 1, low: 0x80, high: 0xbf },
                };
                self.spell(key, byte, next)
            }
            (Text::Escape, b'u') => Text::Unicode { missing: 4, value: 0 },
            (Text::Escape, _) => {
                let meant = match byte {
                    b'"' | b'\\' | b'/' => byte,
                    b'b' => 0x08,
                    b'f' => 0x0c,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    _ => return Err(self.unexpected()),
                };
                self.spell(key, meant, Text::Plain)
            }
            (Text::Unicode { missing, value }, _) => {
                let digit = char::from(byte).to_digit(16).ok_or_else(|| self.unexpected())?;
                let value = value << 4 | u16::try_from(digit).unwrap_or_default();
                if missing > 1 {
                    Text::Unicode { missing: missing - 1, value }
                } else {
                    if key {
                        self.spell_unit(value);
                    }
                    Text::Plain
                }
            }
            (Text::Character { .. }, _) => return Err(self.unexpected()),
        };
        Ok(State::Text { key, at: next })
    }

    /// Adds a byte to the key, if it is one.
    fn spell(&mut self, key: bool, byte: u8, next: Text) -> Text {
        if key {
            self.end_surrogate();
            self.spell_byte(byte);
        }
        next
    }

    /// Adds a UTF-16 unit to the key.
    fn spell_unit(&mut self, unit: u16) {
        let paired = self.surrogate.map(|first| char::decode_utf16([first, unit]).next());
        if let Some(Some(Ok(character))) = paired {
            self.surrogate = None;
            return self.spell_character(character);
        }
        self.end_surrogate();
        match (char::from_u32(unit.into()), unit) {
            (Some(character), _) => self.spell_character(character),
            (None, 0xd800..=0xdbff) => self.surrogate = Some(unit),
            (None, _) => self.spell_byte(LONE_SURROGATE),
        }
    }

    fn spell_character(&mut self, character: char) {
        let mut bytes = [0; 4];
        character.encode_utf8(&mut bytes).bytes().for_each(|it| self.spell_byte(it));
    }

    fn end_surrogate(&mut self) {
        if self.surrogate.take().is_some() {
            self.spell_byte(LONE_SURROGATE);
        }
    }

    fn spell_byte(&mut self, byte: u8) {
        if self.key.len() <= self.longest {
            self.key.push(byte);
        }
    }

    fn key_ended(&mut self) -> State {
        self.end_surrogate();
        if self.open.len() == 1 {
            self.inhabited = true;
            self.matched = self.settings.iter().position(|it| it.key.as_bytes() == self.key);
        }
        State::ColonExpected
    }

    fn opened(&mut self, container: Container) -> Result<State, NotAnObject> {
        if self.open.len() == DEEPEST {
            return Err(NotAnObject::TooDeep { offset: self.offset });
        }
        self.open.push(container);
        Ok(match container {
            Container::Object => State::ObjectOpened,
            Container::List => State::ListOpened,
        })
    }

    fn closed(&mut self, byte: u8, out: &mut Vec<u8>) -> Result<State, NotAnObject> {
        match (self.open.pop(), byte) {
            (Some(Container::Object), b'}') | (Some(Container::List), b']') => (),
            _ => return Err(self.unexpected()),
        }
        if self.open.is_empty() {
            self.append_missing(out);
            return Ok(State::End);
        }
        Ok(self.ended())
    }

    fn append_missing(&mut self, out: &mut Vec<u8>) {
        for Setting { key, text, .. } in self.settings.iter().filter(|it| !it.done) {
            if mem::replace(&mut self.inhabited, true) {
                out.extend_from_slice(b", ");
            }
            out.extend_from_slice(format!("{}: {text}", quoted(key)).as_bytes());
        }
    }

    fn ended(&mut self) -> State {
        if self.open.len() == 1 {
            self.skipping = false;
        }
        State::ValueEnded
    }

    fn unexpected(&self) -> NotAnObject {
        NotAnObject::Unexpected { offset: self.offset }
    }
}

impl Number {
    fn then(self, byte: u8) -> Option<Self> {
        Some(match (self, byte) {
            (Self::Minus, b'0') => Self::Zero,
            (Self::Minus, b'1'..=b'9') | (Self::Whole, b'0'..=b'9') => Self::Whole,
            (Self::Zero | Self::Whole, b'.') => Self::Point,
            (Self::Point | Self::Fraction, b'0'..=b'9') => Self::Fraction,
            (Self::Zero | Self::Whole | Self::Fraction, b'e' | b'E') => Self::Exponent,
            (Self::Exponent, b'+' | b'-') => Self::ExponentSign,
            (Self::Exponent | Self::ExponentSign | Self::Power, b'0'..=b'9') => Self::Power,
            _ => return None,
        })
    }

    fn is_whole(self) -> bool {
        matches!(self, Self::Zero | Self::Whole | Self::Fraction | Self::Power)
    }
}

/// How many bytes follow the first one of a character, and what the next may be.
fn continuation(first: u8) -> Option<(u8, u8, u8)> {
    Some(match first {
        0xc2..=0xdf => (1, 0x80, 0xbf),
        0xe0 => (2, 0xa0, 0xbf),
        0xe1..=0xec | 0xee..=0xef => (2, 0x80, 0xbf),
        0xed => (2, 0x80, 0x9f),
        0xf0 => (3, 0x90, 0xbf),
        0xf1..=0xf3 => (3, 0x80, 0xbf),
        0xf4 => (3, 0x80, 0x8f),
        _ => return None,
    })
}

fn quoted(key: &str) -> String {
    let escaped = key.chars().map(|it| match it {
        '"' | '\\' => format!("\\{it}"),
        '\0'..='\x1f' => format!("\\u{:04x}", u32::from(it)),
        _ => it.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

#[cfg(test)]
mod tests;

//! Splitting `{"samples": [{..},{..}]}` into its documents without reading it whole.

use std::io::{self, ErrorKind, Read};

use memchr::memchr2;

/// How much is read at once.
const CHUNK: usize = 256 << 10;

/// No document that MongoDB stores is larger than this as text.
const LARGEST: usize = 128 << 20;

/// One document of a collection, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// `{..}`
    pub text: Vec<u8>,
    /// Bytes before it in the file.
    pub offset: u64,
    /// Whether it may hold `NaN` or `Infinity`, which JSON does not know.
    pub is_odd: bool,
}

/// The documents of one file, one after the other. Memory does not grow with the file, only with its largest document.
#[derive(Debug)]
pub struct Elements<R> {
    from: R,
    key: &'static str,
    buffer: Vec<u8>,
    position: usize,
    /// Bytes before the buffer.
    before: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Start,
    First,
    Next,
    End,
}

impl<R: Read> Elements<R> {
    /// The documents of the list under `key`, which is the only key of the file.
    pub fn new(from: R, key: &'static str) -> Self {
        let buffer = Vec::new();
        Self { from, key, buffer, position: 0, before: 0, state: State::Start }
    }

    /// The next document; `None` after the last.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or is not such a list; then with the byte at which it is not.
    pub fn next_element(&mut self) -> io::Result<Option<Element>> {
        if self.state == State::Start {
            self.open()?;
            self.state = State::First;
        }
        if self.state == State::End {
            return Ok(None);
        }
        match self.skip_spaces()? {
            Some(b']') => {
                self.position += 1;
                self.state = State::End;
                self.expect(b'}')?;
                return match self.skip_spaces()? {
                    None => Ok(None),
                    Some(_) => Err(self.wrong("something stands behind the end")),
                };
            }
            Some(b',') if self.state == State::Next => {
                self.position += 1;
                self.skip_spaces()?;
            }
            _ if self.state == State::Next => return Err(self.wrong("a comma or `]` is missing")),
            _ => {}
        }
        self.state = State::Next;
        self.element().map(Some)
    }

    fn open(&mut self) -> io::Result<()> {
        self.fill()?;
        if self.buffer.starts_with(b"\xef\xbb\xbf") {
            self.position = 3;
        }
        self.expect(b'{')?;
        self.expect(b'"')?;
        for letter in self.key.bytes() {
            if self.byte()? != Some(letter) {
                return Err(self.wrong(&format!("the key `{}` is missing", self.key)));
            }
        }
        if self.byte()? != Some(b'"') {
            return Err(self.wrong(&format!("the key `{}` is missing", self.key)));
        }
        self.expect(b':')?;
        self.expect(b'[')
    }

    fn element(&mut self) -> io::Result<Element> {
        let offset = self.offset();
        if self.peek()? != Some(b'{') {
            return Err(self.wrong("a document is missing"));
        }
        let mut element = Element { text: Vec::new(), offset, is_odd: false };
        let (mut depth, mut in_text) = (0_usize, false);
        loop {
            let rest = &self.buffer[self.position..];
            let (taken, ended) = piece(rest, &mut depth, &mut in_text, &mut element.is_odd);
            element.text.extend_from_slice(&rest[..taken]);
            self.position += taken;
            if ended {
                return Ok(element);
            }
            if element.text.len() > LARGEST {
                return Err(self.wrong("a document is larger than MongoDB stores"));
            }
            // An escape whose second half is not there yet stays in the buffer.
            if !self.fill()? {
                return Err(self.wrong("the file ends in the middle of a document"));
            }
        }
    }

    fn skip_spaces(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.peek()? {
                Some(it) if it.is_ascii_whitespace() => self.position += 1,
                other => return Ok(other),
            }
        }
    }

    fn expect(&mut self, byte: u8) -> io::Result<()> {
        if self.skip_spaces()? == Some(byte) {
            self.position += 1;
            return Ok(());
        }
        Err(self.wrong(&format!("`{}` is missing", char::from(byte))))
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        if self.position == self.buffer.len() {
            self.fill()?;
        }
        Ok(self.buffer.get(self.position).copied())
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        let byte = self.peek()?;
        self.position += usize::from(byte.is_some());
        Ok(byte)
    }

    /// Reads more. Returns whether there was more.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.drain(..self.position);
        self.before += self.position as u64;
        self.position = 0;
        let kept = self.buffer.len();
        self.buffer.resize(kept + CHUNK, 0);
        let read = loop {
            match self.from.read(&mut self.buffer[kept..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(kept + *read.as_ref().unwrap_or(&0));
        Ok(read? > 0)
    }

    /// Bytes read so far, of what was taken.
    pub fn offset(&self) -> u64 {
        self.before + self.position as u64
    }

    fn wrong(&self, what: &str) -> io::Error {
        io::Error::new(ErrorKind::InvalidData, format!("byte {}: {what}", self.offset()))
    }
}

/// How much of `bytes` belongs to the document, and whether it ends there.
fn piece(bytes: &[u8], depth: &mut usize, in_text: &mut bool, is_odd: &mut bool) -> (usize, bool) {
    let mut at = 0;
    while at < bytes.len() {
        if *in_text {
            let Some(found) = memchr2(b'"', b'\\', &bytes[at..]) else {
                return (bytes.len(), false);
            };
            at += found;
            if bytes[at] == b'"' {
                *in_text = false;
            } else if at + 1 == bytes.len() {
                return (at, false);
            } else {
                at += 1;
            }
            at += 1;
            continue;
        }
        match bytes[at] {
            b'"' => *in_text = true,
            b'{' | b'[' => *depth += 1,
            b'}' | b']' => {
                *depth = depth.saturating_sub(1);
                if *depth == 0 {
                    return (at + 1, true);
                }
            }
            b'N' | b'I' => *is_odd = true,
            _ => {}
        }
        at += 1;
    }
    (bytes.len(), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time, so that every boundary is met.
    struct Slowly<'a>(&'a [u8], usize);

    impl Read for Slowly<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let many = self.1.min(self.0.len()).min(into.len());
            into[..many].copy_from_slice(&self.0[..many]);
            self.0 = &self.0[many..];
            Ok(many)
        }
    }

    fn split(text: &str, step: usize) -> Result<Vec<String>, String> {
        let mut elements = Elements::new(Slowly(text.as_bytes(), step), "samples");
        let mut found = Vec::new();
        loop {
            match elements.next_element() {
                Ok(Some(it)) => {
                    let end = usize::try_from(it.offset).unwrap() + it.text.len();
                    assert_eq!(text.as_bytes()[end - it.text.len()..end], it.text[..]);
                    found.push(String::from_utf8(it.text).unwrap());
                }
                Ok(None) => return Ok(found),
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    #[test]
    fn documents_come_out_whole_wherever_reading_stops() {
        let documents = [r#"{"a": "}\"]\\", "b": [{"c": {}}]}"#, "{}", r#"{"é": "\\\\"}"#];
        for (open, comma, close) in
            [("{\"samples\": [", ",", "]}"), (" {\n \"samples\" : [ ", " ,\n", "\n]\n}\n")]
        {
            let text = format!("{open}{}{close}", documents.join(comma));
            for step in 1..40 {
                assert_eq!(split(&text, step).unwrap(), documents, "{step}");
            }
        }
        assert_eq!(split("{\"samples\": []}", 3).unwrap(), [""; 0]);
        assert_eq!(split("\u{feff}{\"samples\": [{}]}", 100).unwrap(), ["{}"]);
    }

    #[test]
    fn what_is_no_such_list_is_told_with_its_byte() {
        let wrong = |text| split(text, 7).unwrap_err();
        assert_eq!(wrong("{\"frames\": []}"), "byte 3: the key `samples` is missing");
        assert_eq!(wrong("[]"), "byte 0: `{` is missing");
        assert_eq!(
            wrong("{\"samples\": [{\"a\": 1"),
            "byte 20: the file ends in the middle of a document"
        );
        assert_eq!(wrong("{\"samples\": [{} {}]}"), "byte 16: a comma or `]` is missing");
        assert_eq!(wrong("{\"samples\": [7]}"), "byte 13: a document is missing");
        assert_eq!(wrong("{\"samples\": [{}]} x"), "byte 18: something stands behind the end");
        assert_eq!(wrong("{\"samples\": [{}]"), "byte 16: `}` is missing");
    }

    #[test]
    fn only_words_outside_of_texts_make_a_document_odd() {
        let odd = |text: &str| {
            let text = format!("{{\"samples\": [{text}]}}");
            Elements::new(text.as_bytes(), "samples").next_element().unwrap().unwrap().is_odd
        };
        assert!(odd(r#"{"a": NaN}"#) && odd(r#"{"a": [-Infinity]}"#));
        assert!(!odd(r#"{"NaN": "Infinity"}"#));
    }
}

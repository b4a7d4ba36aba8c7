//! Answers: successes, and refusals before they are put into a provider's own shape.

use super::problem::Refusal;
use bytes::Bytes;
use std::fmt::Display;

/// An answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
}

/// A refusal: the provider's words, and what it adds to them.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
    /// More elements of the body.
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) headers: Vec<(&'static str, String)>,
}

pub(super) type Outcome = Result<Answer, Refused>;

impl Answer {
    pub(super) fn new(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// A success with an XML document, without its declaration.
    pub(super) fn xml(body: &str) -> Self {
        let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}");
        Self {
            body: body.into(),
            ..Self::new(200)
        }
        .with("content-type", "application/xml")
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl From<Refusal> for Refused {
    fn from(words: Refusal) -> Self {
        Self {
            status: words.status,
            code: words.code,
            message: words.message.to_owned(),
            fields: Vec::new(),
            headers: Vec::new(),
        }
    }
}

impl Refused {
    pub(super) fn saying(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    pub(super) fn field(mut self, name: &'static str, value: impl Display) -> Self {
        self.fields.push((name, format!("{value}")));
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Display) -> Self {
        self.headers.push((name, format!("{value}")));
        self
    }
}

/// Text as it stands in XML.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c < ' ' => out.push_str(&format!("&#{};", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// The content of the first element of this name, its escapes undone.
pub(super) fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (inner, _) = rest.split_once(&format!("</{name}>"))?;
    let plain = inner.trim().replace("&quot;", "\"").replace("&#34;", "\"");
    let plain = plain.replace("&apos;", "'").replace("&#39;", "'");
    let plain = plain.replace("&lt;", "<").replace("&gt;", ">");
    Some(plain.replace("&amp;", "&"))
}

/// The content of every element of this name, as it stands.
pub(super) fn elements<'a>(xml: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let pieces = xml.split(&open).skip(1);
    pieces
        .filter_map(|piece| Some(piece.split_once(&close)?.0))
        .collect()
}

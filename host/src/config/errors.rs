//! What is wrong with a pipeline file: all of it, each at its line.

use std::fmt;
use std::ops::Range;

use miette::{Diagnostic, LabeledSpan, SourceCode};

use super::source_text::SourceText;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// What is wrong, in plain words.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The bytes of the file at fault; nothing if it is about the file as a whole.
    pub span: Option<Range<usize>>,
    /// A word or two for the marked place.
    pub label: Option<String>,
    source: SourceText,
}

impl ConfigError {
    /// Where it is: `pipeline.toml:12:8`; the file's name alone if it is about the file as a whole.
    pub fn position(&self) -> String {
        match &self.span {
            Some(span) => {
                let (line, column) = self.source.position(span);
                format!("{}:{line}:{column}", self.source.name())
            }
            None => self.source.name().to_owned(),
        }
    }

    pub(super) fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn label(&mut self, label: &str) -> &mut Self {
        self.label = Some(label.to_owned());
        self
    }
}

/// The message alone; `ConfigErrors` adds the position.
impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConfigError {}

impl Diagnostic for ConfigError {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.span.as_ref()?;
        let label = LabeledSpan::new(self.label.clone(), span.start, span.len());
        Some(Box::new(std::iter::once(label)))
    }
}

/// Everything that is wrong with one pipeline file, in the order of its lines. The program exits with 2.
///
/// Its text is one line an error, `pipeline.toml:12:8: message; help`. Where a person reads on a terminal, render each of `iter()`
/// instead: each is a diagnostic with the file's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors {
    source: SourceText,
    errors: Vec<ConfigError>,
}

impl ConfigErrors {
    pub(super) fn none(source: &SourceText) -> Self {
        Self { source: source.clone(), errors: Vec::new() }
    }

    /// A single error at a span, for what is found only later: a grant that makes no sense, a plugin that is missing.
    pub fn at(source: &SourceText, span: Range<usize>, message: impl Into<String>, help: Option<String>) -> Self {
        let mut errors = Self::none(source);
        errors.add(span, message).help = help;
        errors
    }

    /// A single error about the file as a whole.
    pub(super) fn of_file(source: &SourceText, message: String) -> Self {
        let mut errors = Self::none(source);
        errors.add(0..0, message).span = None;
        errors
    }

    pub(super) fn add(&mut self, span: Range<usize>, message: impl Into<String>) -> &mut ConfigError {
        let error = ConfigError {
            message: message.into(),
            help: None,
            span: Some(span),
            label: None,
            source: self.source.clone(),
        };
        self.errors.push_mut(error)
    }

    /// Puts the errors of several places together: what one check found and what another did.
    pub fn merge(&mut self, others: Self) {
        self.errors.extend(others.errors);
        self.sort();
    }

    /// The errors, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        self.errors.iter()
    }

    pub(super) fn source(&self) -> &SourceText {
        &self.source
    }

    /// The value if nothing was wrong.
    pub(super) fn or<T>(mut self, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => {
                self.sort();
                Err(self)
            }
        }
    }

    /// By line; those of a table that the file names stand behind its own.
    fn sort(&mut self) {
        let own = self.source.name();
        self.errors.sort_by(|left, right| {
            let place = |error: &ConfigError| error.span.as_ref().map(|span| span.start);
            let file = |error: &ConfigError| (error.source.name() != own).then(|| error.source.name().to_owned());
            (file(left), place(left)).cmp(&(file(right), place(right)))
        });
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}: {}", error.position(), error.message)?;
            if let Some(help) = &error.help {
                write!(f, "; {help}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

impl Diagnostic for ConfigErrors {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.errors.iter().map(|error| error as &dyn Diagnostic)))
    }
}

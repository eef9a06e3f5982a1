//! What a command ends with: done, or an error with its kind, its causes and its hints; and the exit code of each.
//!
//! Every error of the library is translated in `translate`, once, into a kind and a hint. A hint names a command or a
//! flag that exists; a test runs each through the parser. An error of standard output whose reader went away is success,
//! as in `shadow info | head -1`: the system tells a writer nothing else.

mod translate;

use std::error::Error;

/// How a command ended when nothing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is done, also when there was nothing to do.
    Done,
    /// The prediction abstained: a valid answer, which was printed, and which a script must notice.
    Abstained,
}

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The user's input cannot be used as it is; the user can fix it.
    User,
    /// Arguments that contradict each other or are outside their range.
    Usage,
    /// Data are damaged or truncated, of an unknown version, or have more rejects than allowed.
    Refused,
    /// The prediction abstained where a form cannot say so, or a gate failed.
    Abstained,
    /// The reader of standard output went away.
    BrokenPipe,
    /// A bug in shadow.
    Internal,
}

/// Why a command could not do what it was asked.
#[derive(Debug)]
pub struct CommandError {
    kind: Kind,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
    hints: Vec<String>,
}

impl CommandError {
    /// Returns an error of that kind: lower-case, what happened and where, without a full stop.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None, hints: Vec::new() }
    }

    /// Returns an error of the user's input.
    pub fn user(message: impl Into<String>) -> Self {
        Self::new(Kind::User, message)
    }

    /// Returns an error of usage.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Returns a refusal of data.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Kind::Refused, message)
    }

    /// Returns an abstention or a failed gate.
    pub fn abstained(message: impl Into<String>) -> Self {
        Self::new(Kind::Abstained, message)
    }

    /// Returns a bug: `message` states the invariant that does not hold.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Kind::Internal, message)
            .hint("this is a bug: please report it with this message and what `shadow --version` prints")
    }

    /// Returns what happened when standard output could not be written.
    pub fn output(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self::new(Kind::BrokenPipe, "the reader of standard output went away");
        }
        Self::user(format!("cannot write to standard output: {error}")).caused_by(error)
    }

    /// Returns an error whose message is that of a library error, with its chain of causes.
    pub fn from_library(kind: Kind, error: impl Error + Send + Sync + 'static) -> Self {
        let message = error.to_string();
        let made = if kind == Kind::Internal { Self::internal(message) } else { Self::new(kind, message) };
        made.caused_by(error)
    }

    /// Adds what the user can do: a command or a flag that exists, in backticks.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Sets the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// Rewrites the message, as to say about what it is; kind, causes and hints stay.
    #[must_use]
    pub(crate) fn with_message(mut self, message: impl FnOnce(&str) -> String) -> Self {
        self.message = message(&self.message);
        self
    }

    /// Returns whose fault it is.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the hints.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// Returns the causes, outermost first, without those that the text above them quotes already.
    pub fn causes(&self) -> Vec<String> {
        let mut causes: Vec<String> = Vec::new();
        let mut next: Option<&(dyn Error + 'static)> =
            self.source.as_deref().map(|source| source as &(dyn Error + 'static));
        while let Some(error) = next {
            let text = error.to_string();
            if !causes.last().unwrap_or(&self.message).contains(&text) {
                causes.push(text);
            }
            next = error.source();
        }
        causes
    }
}

impl std::fmt::Display for CommandError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl Error for CommandError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

/// Returns the exit code: the one place where it is decided.
pub const fn exit_code(result: &Result<Outcome, CommandError>) -> u8 {
    match result {
        Ok(Outcome::Done) => 0,
        Ok(Outcome::Abstained) => 4,
        Err(error) => match error.kind {
            Kind::BrokenPipe => 0,
            Kind::User => 1,
            Kind::Usage => 2,
            Kind::Refused => 3,
            Kind::Abstained => 4,
            Kind::Internal => 70,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_code() {
        let code = |kind| exit_code(&Err(CommandError::new(kind, "x")));
        assert_eq!(exit_code(&Ok(Outcome::Done)), 0);
        assert_eq!(exit_code(&Ok(Outcome::Abstained)), 4);
        let kinds = [Kind::BrokenPipe, Kind::User, Kind::Usage, Kind::Refused, Kind::Abstained, Kind::Internal];
        assert_eq!(kinds.map(code), [0, 1, 2, 3, 4, 70]);
    }

    #[test]
    fn a_cause_that_is_quoted_already_is_not_repeated() {
        let inner = std::io::Error::other("the disk is on fire");
        let error = CommandError::user("cannot read `a.csv`: the disk is on fire").caused_by(inner);
        assert_eq!(error.causes(), Vec::<String>::new());
        let error = CommandError::user("cannot do it").caused_by(std::io::Error::other("no room"));
        assert_eq!(error.causes(), ["no room"]);
    }

    #[test]
    fn a_closed_pipe_is_no_failure_but_a_full_disk_is() {
        let closed = CommandError::output(std::io::ErrorKind::BrokenPipe.into());
        assert_eq!(exit_code(&Err(closed)), 0);
        let full = CommandError::output(std::io::ErrorKind::StorageFull.into());
        assert_eq!(exit_code(&Err(full)), 1);
    }
}

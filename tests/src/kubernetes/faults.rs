//! What goes wrong on demand.

use std::time::Duration;

/// How a request goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It is not done, and answered with this status: 500, 503, 401, 429 …
    Answer(u16),
    /// It is not done and not answered, until the fault is taken away; then it is done as if nothing had been.
    Hang,
    /// It is done after this time.
    Slow(Duration),
    /// It is done; then the connection breaks off in the middle of the answer.
    Cut,
}

/// A failure, and the requests that it hits.
#[derive(Debug, Clone)]
pub struct Fault {
    failure: Failure,
    method: Option<&'static str>,
    writes_only: bool,
    path: String,
    spared: usize,
    times: usize,
}

impl Fault {
    /// Hits every request.
    #[must_use]
    pub fn new(failure: Failure) -> Self {
        Self {
            failure,
            method: None,
            writes_only: false,
            path: String::new(),
            spared: 0,
            times: usize::MAX,
        }
    }

    #[must_use]
    pub fn of_method(self, method: &'static str) -> Self {
        Self {
            method: Some(method),
            ..self
        }
    }

    /// Only requests that would change something.
    #[must_use]
    pub fn of_writes(self) -> Self {
        Self {
            writes_only: true,
            ..self
        }
    }

    /// Only paths with this part.
    #[must_use]
    pub fn of_path(self, part: &str) -> Self {
        Self {
            path: part.to_owned(),
            ..self
        }
    }

    /// Spares so many of those it would hit before it begins.
    #[must_use]
    pub fn after(self, spared: usize) -> Self {
        Self { spared, ..self }
    }

    /// Hits so many, and then no more.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// The failure of a request, if it is hit; counts it.
    pub(super) fn hit(&mut self, method: &str, path: &str) -> Option<Failure> {
        let is_meant = self.method.is_none_or(|only| only == method)
            && !(self.writes_only && method == "GET")
            && path.contains(&self.path);
        if !is_meant || self.times == 0 {
            return None;
        }
        if self.spared > 0 {
            self.spared -= 1;
            return None;
        }
        self.times -= 1;
        Some(self.failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_hits_what_it_names_after_what_it_spares_and_so_often_only() {
        let mut fault = Fault::new(Failure::Answer(500))
            .of_writes()
            .of_path("/secrets")
            .after(1)
            .times(2);
        assert_eq!(fault.hit("GET", "/api/v1/secrets"), None);
        assert_eq!(fault.hit("POST", "/api/v1/pods"), None);
        let hits: Vec<_> = (0..4)
            .map(|_| fault.hit("PUT", "/api/v1/secrets/a").is_some())
            .collect();
        assert_eq!(hits, [false, true, true, false]);
    }
}

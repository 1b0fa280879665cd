//! What a check found.

use crate::failure::{Exit, Failure};
use crate::output::{BAD, DOUBTFUL, FAINT, GOOD};
use serde_json::{Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Ok,
    Warn,
    Fail,
    Skip,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Skip => "skip",
        }
    }
}

/// One line of the report.
#[derive(Debug)]
pub(crate) struct Finding {
    check: &'static str,
    pub(crate) verdict: Verdict,
    message: String,
    advice: Option<String>,
    exit: Exit,
}

/// All findings, in order.
#[derive(Default)]
pub(crate) struct Report(Vec<Finding>);

impl Report {
    fn add(&mut self, check: &'static str, verdict: Verdict, message: impl Into<String>) -> &mut Finding {
        self.0.push(Finding { check, verdict, message: message.into(), advice: None, exit: Exit::Done });
        let last = self.0.len() - 1;
        &mut self.0[last]
    }

    pub(crate) fn ok(&mut self, check: &'static str, message: impl Into<String>) {
        self.add(check, Verdict::Ok, message);
    }

    pub(crate) fn skip(&mut self, check: &'static str, why: impl Into<String>) {
        self.add(check, Verdict::Skip, why);
    }

    pub(crate) fn warn(&mut self, check: &'static str, message: impl Into<String>, advice: impl Into<String>) {
        let finding = self.add(check, Verdict::Warn, message);
        (finding.advice, finding.exit) = (Some(advice.into()), Exit::Other);
    }

    pub(crate) fn fail(
        &mut self,
        check: &'static str,
        exit: Exit,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) {
        let finding = self.add(check, Verdict::Fail, message);
        (finding.advice, finding.exit) = (Some(advice.into()).filter(|advice| !advice.is_empty()), exit);
    }

    /// The exit code of the first failure, or of the first warning if nothing fails.
    pub(crate) fn exit(&self) -> Exit {
        let first = |verdict| self.0.iter().find(|finding| finding.verdict == verdict).map(|finding| finding.exit);
        first(Verdict::Fail).or_else(|| first(Verdict::Warn)).unwrap_or(Exit::Done)
    }

    pub(crate) fn end(&self) -> Result<(), Failure> {
        match self.exit() {
            Exit::Done => Ok(()),
            exit => Err(Failure::said(exit)),
        }
    }

    pub(crate) fn text(&self) -> String {
        let width = self.0.iter().map(|finding| finding.check.len()).max().unwrap_or_default();
        let line = |finding: &Finding| {
            let Finding { check, verdict, message, advice, .. } = finding;
            let style = match verdict {
                Verdict::Ok => GOOD,
                Verdict::Warn => DOUBTFUL,
                Verdict::Fail => BAD,
                Verdict::Skip => FAINT,
            };
            let advice = advice.as_ref().map(|advice| format!("; {advice}")).unwrap_or_default();
            format!("{style}{:4}{style:#}  {check:width$}  {message}{advice}\n", verdict.word())
        };
        self.0.iter().map(line).collect()
    }

    pub(crate) fn json(&self) -> Value {
        let finding = |finding: &Finding| {
            let Finding { check, verdict, message, advice, .. } = finding;
            json!({ "check": check, "verdict": verdict.word(), "message": message, "advice": advice })
        };
        json!({ "findings": self.0.iter().map(finding).collect::<Vec<_>>(), "exitCode": self.exit() as u8 })
    }
}

//! Regression: what the scripts of a pack came to, held against its baseline (SVTAD 7.4, 7.5, Table 13-1 row 2).

use proto_lab::record::{Baseline, KnownDefect, PackBound, Verdict};
use serde::{Deserialize, Serialize};

use super::{CaseEntry, Ledger, RecordRef};

/// A regression pack held against its baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Regression {
    /// What it was held against.
    pub baseline: Baseline,
    /// Every script of the pack that is part of it, in the order of the plan.
    pub scripts: Vec<Compared>,
}

/// One script, then and now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Compared {
    /// The script, with its row and device.
    pub case: String,
    /// How it stands.
    pub standing: Against,
    /// The Testing Issue of the known defect, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue: Option<String>,
    /// The record that decided it.
    pub record: RecordRef,
}

/// How a script stands against the baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Against {
    /// It passed then and passes now.
    AsBefore,
    /// It did not pass then, and comes to the same now.
    KnownDefect,
    /// It did not pass then, and passes now: the baseline is to be agreed anew.
    Mended,
    /// It passed then, or came to something else, and does not pass now.
    Regressed,
    /// It was not executed now.
    NotRun,
}

impl Against {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Against::AsBefore => "as before",
            Against::KnownDefect => "known defect",
            Against::Mended => "mended",
            Against::Regressed => "regressed",
            Against::NotRun => "not run",
        }
    }
}

impl Regression {
    /// Holds the cases of a pack against its baseline; none for a pack that has none.
    pub fn of(ledger: &Ledger, pack: &PackBound) -> Option<Self> {
        let baseline = pack.baseline.clone()?;
        let cases =
            ledger.cases.iter().filter(|case| case.case.pack == pack.id && case.purpose == pack.purpose);
        let scripts = cases.map(|case| compared(case, &baseline)).collect();
        Some(Self { baseline, scripts })
    }

    /// How many scripts stand so.
    pub fn count(&self, standing: Against) -> usize {
        self.scripts.iter().filter(|script| script.standing == standing).count()
    }

    /// Whether everything that was executed is as the baseline says, but for what was mended.
    pub fn is_clean(&self) -> bool {
        self.count(Against::Regressed) == 0
    }

    /// In one line.
    pub fn summary(&self) -> String {
        let count = |standing: Against| format!("{} {}", self.count(standing), standing.words());
        let all =
            [Against::AsBefore, Against::KnownDefect, Against::Mended, Against::Regressed, Against::NotRun];
        let told: Vec<String> = all.into_iter().filter(|of| self.count(*of) > 0).map(count).collect();
        format!("{}, against {} of {}", told.join(", "), self.baseline.run, self.baseline.on)
    }
}

fn compared(case: &CaseEntry, baseline: &Baseline) -> Compared {
    let defect = baseline.defects.iter().find(|defect| defect.script == case.case.script);
    Compared {
        case: case.case.to_string(),
        standing: against(case.verdict, case.reason.as_deref(), defect),
        issue: defect.map(|defect| defect.issue.clone()),
        record: case.decided.clone(),
    }
}

fn against(verdict: Verdict, reason: Option<&str>, defect: Option<&KnownDefect>) -> Against {
    let same = |defect: &KnownDefect| {
        let said = |words: &String| reason.is_some_and(|reason| reason.contains(words.as_str()));
        defect.verdict == verdict && defect.reason.iter().all(said)
    };
    match (verdict, defect) {
        (Verdict::NotRun, _) => Against::NotRun,
        (Verdict::Pass, None) => Against::AsBefore,
        (Verdict::Pass, Some(_)) => Against::Mended,
        (_, Some(defect)) if same(defect) => Against::KnownDefect,
        (_, _) => Against::Regressed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_as_before_a_known_defect_mended_or_regressed() {
        let defect = KnownDefect {
            script: "read".into(),
            verdict: Verdict::Fail,
            reason: vec!["E11".into()],
            issue: "TI-7".into(),
        };
        let held = |verdict, reason, known: bool| against(verdict, reason, known.then_some(&defect));
        assert_eq!(held(Verdict::Pass, None, false), Against::AsBefore);
        assert_eq!(held(Verdict::Pass, None, true), Against::Mended);
        assert_eq!(held(Verdict::Fail, Some("expected I99, found E11"), true), Against::KnownDefect);
        assert_eq!(
            held(Verdict::Fail, Some("expected I99, found E20"), true),
            Against::Regressed,
            "another defect"
        );
        assert_eq!(held(Verdict::Error, Some("E11"), true), Against::Regressed);
        assert_eq!(held(Verdict::Fail, Some("E11"), false), Against::Regressed);
        assert_eq!(held(Verdict::NotRun, None, true), Against::NotRun);
    }
}

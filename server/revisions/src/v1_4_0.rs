//! v1.4.0: a delegated operation has a place for its log file beside its link.
//!
//! Source: `fiftyone/migrations/revisions/v1_4_0.py`.
//! On the way down the path of a log file takes the place of a link, as in FiftyOne.

use crate::*;

pub(crate) const REVISION: Revision = Revision {
    version: Version::new(1, 4, 0),
    summary: "Store the log file of a delegated operation as `log_path`",
    loses: Some("The links of delegated operations that have both a link and a log file"),
    reads: &[],
    promise: Promise { up: &[], down: &[] },
    up: |_, cx| rename(cx, LINK, LOG),
    down: |_, cx| rename(cx, LOG, LINK),
};

const LINK: &str = "run_link";
const LOG: &str = "log_path";

fn rename(cx: &mut Context<'_>, from: &'static str, to: &'static str) -> Result<(), Reason> {
    cx.effect(Effect::RenameOperationLog { from, to });
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bson::DateTime;

    use super::*;

    fn steps(transform: Transform) -> Vec<Step> {
        let (names, results) = (Names::default(), BTreeSet::new());
        let mut cx =
            Context::new(Env { now: DateTime::from_millis(1), named: DateTime::from_millis(1), names: &names, results: &results });
        let mut dataset = Dataset::default();
        transform(&mut dataset, &mut cx).unwrap();
        assert_eq!(dataset, Dataset::default());
        cx.steps
    }

    #[test]
    fn the_log_moves_out_of_the_link_and_back_into_it() {
        let up = Effect::RenameOperationLog { from: "run_link", to: "log_path" };
        assert_eq!(steps(REVISION.up), [Step::Effect(up)]);
        let down = Effect::RenameOperationLog { from: "log_path", to: "run_link" };
        assert_eq!(steps(REVISION.down), [Step::Effect(down)]);
    }
}

//! The plan of a migration for people, and starting it: once, as it was shown, and by somebody who has said so.

mod checks;
mod groups;
mod privileges;

use bson::oid::ObjectId;
use model::{
    Action, Approval, DatabaseStep, Friction, MigrationPlan, NotStarted, Permit, PlanDestination,
    PlanQuestion, PlanScope, Stakes, Started, words,
};
use revisions::Release;
use sha2::{Digest, Sha256};

use self::groups::{groups, losses, without_names};
use crate::{
    Confirmed, Control, DatabaseReport, DatasetReport, Engine, Error, Frozen, OnFailure, Report,
    Request, Result, State, Target,
    run::Going,
    shown::sees_names,
    versions::{self, VersionTable},
};

impl Engine {
    /// The versions that everything can be taken to, newest first. Writes nothing.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached or the `config` documents make no sense.
    pub async fn destinations(&self) -> Result<Vec<PlanDestination>> {
        self.store.server().await?;
        let config = self.store.config().await?;
        let mut destinations = self.versions().await?.destinations();
        for it in &mut destinations {
            it.current = config.version() == Some(it.version.as_str());
        }
        Ok(destinations)
    }

    /// What a migration would do. Writes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`] if the permit does not cover it; [`Error::Refused`] if the question makes no sense or the whole is
    /// refused. What cannot be done with single datasets is in the plan.
    pub async fn preview(&self, permit: &Permit, question: &PlanQuestion) -> Result<MigrationPlan> {
        let request = self.request(permit, question).await?;
        let named = self.may_name(permit, &request).await?;
        let run = ObjectId::new();
        let report = self.foresee(permit, &request, run).await?;
        let mut plan = self.plan_of(permit, &request, &report, run, named);
        plan.forbidden = self.forbidden(permit, &request, &report).await?;
        plan.checks = self.checks(&request, &report).await?;
        Ok(plan)
    }

    /// Starts a migration whose plan somebody has seen: it is written down as a run, which waits for a server. With the id of
    /// a run that there is already, it is that run.
    ///
    /// # Errors
    ///
    /// As [`Engine::leave_to_a_server`]; members may start what takes one dataset, which they may manage, up to the version of
    /// the database. Where the plan has changed, or something else was to be typed, nothing is started
    /// either, which is no error.
    pub async fn start(
        &self,
        permit: &Permit,
        question: &PlanQuestion,
        approval: &Approval,
        confirmed: Option<&Confirmed>,
    ) -> Result<Started> {
        permit.covers(Action::MigrateDataset)?;
        self.allowed()?;
        let id = ObjectId::parse_str(&approval.run).map_err(|_| {
            Error::Refused(format!(
                "`{}` is not the id of a run; load the plan again and start it from there",
                crate::printable(&approval.run)
            ))
        })?;
        if self.is_there(id).await? {
            return Ok(Started::Run { id: id.to_hex() });
        }
        let request = self.request(permit, question).await?;
        let named = self.may_name(permit, &request).await?;
        let report = self.foresee(permit, &request, id).await?;
        self.may_begin(permit, &request, &report).await?;
        let plan = self.plan_of(permit, &request, &report, id, named);
        let not = match &plan.friction {
            None => Some(NotStarted::Nothing),
            Some(_) if plan.hash != approval.hash => Some(NotStarted::Changed),
            Some(friction) if !friction.accepts(&approval.typed) => Some(NotStarted::Mistyped),
            Some(_) if plan.goes_down && !confirmed.is_some_and(|it| it.is_of(permit)) => {
                Some(NotStarted::Unconfirmed)
            }
            Some(_) => None,
        };
        match not {
            None => drop(self.write_down(permit, id, &request, &report).await?),
            Some(why) => {
                // It is another plan, perhaps, because this very run has begun since: somebody has clicked twice.
                if !self.is_there(id).await? {
                    return Ok(Started::Not { why });
                }
            }
        }
        Ok(Started::Run { id: id.to_hex() })
    }

    async fn is_there(&self, run: ObjectId) -> Result<bool> {
        Ok(self.store.job(run).await.map_err(|it| self.store.error(it))?.is_some())
    }

    /// The request behind a question.
    async fn request(&self, permit: &Permit, question: &PlanQuestion) -> Result<Request> {
        let selected = match question.scope {
            PlanScope::Selection => Some(self.frozen(permit, &question.selection).await?),
            PlanScope::Everything | PlanScope::Database | PlanScope::Datasets => None,
        };
        request(question, selected, &self.versions().await?)
    }

    /// What this run would do: the names that it would give are made of its id.
    async fn foresee(&self, permit: &Permit, request: &Request, run: ObjectId) -> Result<Report> {
        permit.covers(Action::PreviewMigration)?;
        let (control, _meter, _events) = Control::new();
        let dry = Request { dry_run: true, ..request.clone() };
        let going = Going { planned: Some(run), ..Going::default() };
        Box::pin(self.carry(Some(permit.clone()), dry, going, control)).await
    }

    /// The plan as it is told; what is looked at beside it is added by whoever shows it.
    fn plan_of(
        &self,
        permit: &Permit,
        request: &Request,
        report: &Report,
        run: ObjectId,
        named: bool,
    ) -> MigrationPlan {
        let name = self.store.name();
        let destination = request.destination.as_ref().unwrap_or(versions::newest()).to_string();
        let database = report.database.as_ref().map(|it| step(it, sees_names(permit)));
        let goes_down = report.may_go_down();
        let (lost, archived) = losses(report);
        let stakes = Stakes {
            datasets: whole(report.count(State::Planned)),
            changes_data: changes_data(report),
            goes_down,
            loses: !lost.is_empty(),
        };
        let there_is_work = report.moves() || stakes.datasets > 0;
        MigrationPlan {
            database_name: name.to_owned(),
            sentence: sentence(report, &destination),
            friction: there_is_work.then(|| Friction::of(stakes, name)),
            forbidden: None,
            datasets: stakes.datasets,
            goes_down,
            groups: groups(report, named),
            checks: Vec::new(),
            losses: if named { lost } else { without_names(lost) },
            archived: if named { archived } else { without_names(archived) },
            estimate: report.estimate.clone().filter(|_| there_is_work),
            undo_days: self.undo_days,
            run: run.to_hex(),
            hash: hash(request, report),
            destination,
            database,
        }
    }

    /// Why whoever asks may not start it.
    async fn forbidden(
        &self,
        permit: &Permit,
        request: &Request,
        report: &Report,
    ) -> Result<Option<String>> {
        if let Some(barrier) = self.barrier() {
            return Ok(Some(barrier.to_owned()));
        }
        match self.may_begin(permit, request, report).await {
            Ok(()) => Ok(None),
            Err(why @ (Error::Denied(_) | Error::Refused(_))) => Ok(Some(why.to_string())),
            Err(error) => Err(error),
        }
    }
}

/// The request behind a question. `selected`: the selection that it names.
fn request(
    question: &PlanQuestion,
    selected: Option<Frozen>,
    versions: &VersionTable,
) -> Result<Request> {
    let target = match question.scope {
        PlanScope::Everything => Target::Everything,
        PlanScope::Database => Target::Database,
        PlanScope::Selection => Target::Selected(selected.ok_or_else(|| {
            Error::Refused("no selection is named; select datasets in the list of all".to_owned())
        })?),
        PlanScope::Datasets => {
            let names = question.names();
            if names.is_empty() {
                return Err(Error::Refused(
                    "no dataset is named; write the names of datasets, one a line, or choose another scope"
                        .to_owned(),
                ));
            }
            Target::Datasets(names)
        }
    };
    Ok(Request {
        target,
        destination: Some(destination(versions, &question.destination)?),
        on_failure: OnFailure::GoOn,
        dry_run: false,
        without_undo: false,
        without_archive: false,
    })
}

/// A destination as it was typed.
pub(crate) fn destination(table: &VersionTable, text: &str) -> Result<Release> {
    let unknown = |what: &str| {
        Error::Refused(format!(
            "`{}` {what}; write a version such as {}, or enterprise:2.1.0",
            crate::printable(text),
            versions::newest()
        ))
    };
    let text = text.trim();
    if text.is_empty() {
        return Ok(versions::newest().clone());
    }
    let version = match text.strip_prefix("enterprise:") {
        Some(enterprise) => {
            let row = table.release(enterprise);
            &row.ok_or_else(|| unknown("is no Enterprise version that is known"))?.compatibility
        }
        None => text,
    };
    version.parse().map_err(|_| unknown("is not a version"))
}

/// `named`: to somebody who may see what collections are called, which tells of datasets.
fn step(it: &DatabaseReport, named: bool) -> DatabaseStep {
    DatabaseStep {
        head: it.head.clone(),
        destination: it.destination.clone(),
        drops: if named { it.drops.clone() } else { Vec::new() },
    }
}

/// Whether more than versions changes.
fn changes_data(report: &Report) -> bool {
    let planned = report.datasets.iter().filter(|it| it.state == State::Planned);
    let drops = report.database.as_ref().is_some_and(|it| !it.drops.is_empty());
    // One that crosses nothing and is where it goes gets something back; one without a head has to be read.
    drops || planned.into_iter().any(|it| !is_stamp(it))
}

/// Whether only the version of a dataset is another.
fn is_stamp(it: &DatasetReport) -> bool {
    it.revisions.is_empty() && it.head.is_some() && it.head != it.destination
}

/// What will happen.
fn sentence(report: &Report, destination: &str) -> String {
    let (planned, blocked) = (report.count(State::Planned), report.count(State::Refused));
    let database = report.database.as_ref().and_then(|it| {
        let (to, head) = (it.destination.as_ref()?, it.head.as_deref());
        let way = if it.goes_down() { "down" } else { "up" };
        Some(match head {
            Some(head) => format!("The database goes {way} from {head} to {to}"),
            None => format!("The database gets its first version, {to}"),
        })
    });
    let migrated = (planned > 0).then(|| format!("{} migrated", datasets(planned)));
    let left = match blocked {
        0 => String::new(),
        it => format!(" {} blocked, and stay as they are.", datasets(it)),
    };
    let left = if blocked == 1 { left.replace("stay as they are", "stays as it is") } else { left };
    match (database, migrated) {
        (Some(database), Some(migrated)) => format!("{database}, and {migrated}.{left}"),
        (Some(database), None) => format!("{database}; no dataset is changed.{left}"),
        (None, Some(migrated)) => format!("{migrated} to {destination}.{left}"),
        (None, None) if blocked > 0 => format!("Nothing can be migrated.{left}"),
        (None, None) => {
            format!("There is nothing to do: all that is asked for is at {destination} already.")
        }
    }
}

fn datasets(count: usize) -> String {
    let are = if count == 1 { "is" } else { "are" };
    format!("{} {are}", words::counted(whole(count), "dataset"))
}

/// What identifies a plan: what was asked for, and what would become of everything. The figures of an estimate may change
/// while it is looked at.
fn hash(request: &Request, report: &Report) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{:?} {:?}\n", request.target, request.destination));
    if let Some(DatabaseReport { head, destination, revisions, drops, state }) = &report.database {
        hash.update(format!("{head:?} {destination:?} {revisions:?} {drops:?} {state:?}\n"));
    }
    for it in &report.datasets {
        let DatasetReport { id, name, head, destination, revisions, state, .. } = it;
        hash.update(format!("{id} {name:?} {head:?} {destination:?} {revisions:?} {state:?}"));
        let DatasetReport { renamed_to, reason, warnings, kept, given_back, .. } = it;
        hash.update(format!("{renamed_to:?} {reason:?} {warnings:?} {kept:?} {given_back:?}\n"));
    }
    format!("{:x}", hash.finalize())
}

fn whole(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A dataset of a plan.
    pub(crate) fn dataset(name: &str, head: &str, revisions: &[&str]) -> DatasetReport {
        DatasetReport {
            id: format!("id of {name}"),
            name: Some(name.to_owned()),
            renamed_to: None,
            head: Some(head.to_owned()),
            destination: Some("1.22.1".to_owned()),
            revisions: revisions.iter().map(|it| (*it).to_owned()).collect(),
            state: State::Planned,
            reason: None,
            cause: None,
            warnings: Vec::new(),
            found: Vec::new(),
            kept: Vec::new(),
            given_back: Vec::new(),
            figures: crate::Figures::default(),
        }
    }

    /// The plan of these, with a database that goes along.
    pub(crate) fn report(from: &str, to: &str, datasets: Vec<DatasetReport>) -> Report {
        let database = DatabaseReport {
            head: Some(from.to_owned()),
            destination: (from != to).then(|| to.to_owned()),
            revisions: Vec::new(),
            drops: Vec::new(),
            state: if from == to { State::Current } else { State::Planned },
        };
        Report { dry_run: true, database: Some(database), datasets, ..Report::default() }
    }

    #[test]
    fn one_sentence_says_what_will_happen() {
        let blocked = DatasetReport { state: State::Refused, ..dataset("c", "0.18.0", &[]) };
        let two = vec![dataset("a", "1.0.0", &[]), dataset("b", "1.0.0", &[])];
        let said = |report: &Report| sentence(report, "1.22.1");
        assert_eq!(
            said(&report("1.0.0", "1.22.1", [two.clone(), vec![blocked.clone()]].concat())),
            "The database goes up from 1.0.0 to 1.22.1, and 2 datasets are migrated. 1 dataset is blocked, and stays as it is."
        );
        assert_eq!(
            said(&report("1.22.1", "1.22.1", two[..1].to_vec())),
            "1 dataset is migrated to 1.22.1."
        );
        assert_eq!(
            said(&report("1.22.1", "1.0.0", Vec::new())),
            "The database goes down from 1.22.1 to 1.0.0; no dataset is changed."
        );
        assert!(said(&report("1.22.1", "1.22.1", vec![blocked])).starts_with("Nothing can be"));
        assert!(
            said(&report("1.22.1", "1.22.1", Vec::new())).starts_with("There is nothing to do")
        );
    }

    #[test]
    fn a_plan_is_another_when_anything_in_it_is() {
        let request = request(&PlanQuestion::default(), None, &VersionTable::embedded()).unwrap();
        let first = report("1.0.0", "1.22.1", vec![dataset("a", "1.0.0", &[])]);
        let of = |it: &Report| hash(&request, it);
        assert_eq!(of(&first), of(&first.clone()));
        let moved = report("1.0.0", "1.22.1", vec![dataset("a", "1.1.0", &[])]);
        let mut loses = first.clone();
        loses.datasets[0].kept.push("a field".to_owned());
        let other = Request { target: Target::Database, ..request.clone() };
        for it in [of(&moved), of(&loses), hash(&other, &first)] {
            assert_ne!(it, of(&first));
        }
    }

    #[test]
    fn only_what_crosses_something_changes_data() {
        let stamp = report("1.0.0", "1.22.1", vec![dataset("a", "1.12.0", &[])]);
        assert!(!changes_data(&stamp) && !stamp.may_go_down());
        assert!(changes_data(&report("1.0.0", "1.22.1", vec![dataset("a", "1.0.0", &["1.1.0"])])));
        let mut unknown = stamp.clone();
        unknown.datasets[0].head = None;
        let given_back = report("1.0.0", "1.22.1", vec![dataset("a", "1.22.1", &[])]);
        assert!(changes_data(&unknown) && changes_data(&given_back));
        let down = dataset("a", "1.22.2", &[]);
        assert!(report("1.22.1", "1.22.1", vec![down]).may_go_down());
    }

    #[test]
    fn a_destination_is_a_version_or_an_enterprise_version() {
        let to = |text: &str| destination(&VersionTable::embedded(), text).map(|it| it.to_string());
        assert_eq!(to("").unwrap(), "1.22.1");
        assert_eq!(to(" 1.0.0 ").unwrap(), "1.0.0");
        assert_eq!(to("enterprise:2.1.0").unwrap(), "1.0.0");
        for wrong in ["banana", "enterprise:9.9.9"] {
            let told = to(wrong).unwrap_err().to_string();
            assert!(told.starts_with(&format!("`{wrong}` is no")), "{told}");
        }
        let nobody = PlanQuestion { scope: PlanScope::Datasets, ..PlanQuestion::default() };
        assert!(
            request(&nobody, None, &VersionTable::embedded())
                .unwrap_err()
                .to_string()
                .starts_with("no dataset is named")
        );
    }
}

//! One command from start to end: decide, then write, in the order that leaves no old client in front of new
//! data.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bson::{DateTime, oid::ObjectId};
use futures_util::FutureExt;
use model::{Action, Cause, Direction, JobState, Permit};
use revisions::{Release, admin, base, direction};
use sha2::{Digest, Sha256};

use crate::{
    Error, Result,
    archive::{Entries, settle_left},
    job::{AsRead, Course, Hand, Proposal, log, noted},
    journal::{Contended, Estimate, Journal},
    load::{Loaded, Loader, Task, Times, Why, Work},
    pass::Halt,
    plan::{Plan, plan, report_of},
    policy::{self, Decision},
    progress::{Control, Event},
    report::{DatabaseReport, DatasetReport, Report, State, failures},
    selection::{Frozen, selected_ids},
    shares::{Keeps, Lead},
    store::{Asked, Config, Entry, Failure, Job, Store},
    survey::Survey,
    sweep::sweep_all,
    undo::Expiry,
    unnoted::{is_at, unnoted},
    verify::Verifying,
    versions::newest,
    write::{Writer, Written},
};

/// How many datasets are loaded, changed and committed as one group, and how many bytes of documents that may
/// be; a larger document goes alone.
const GROUP: usize = 128;
const GROUP_BYTES: usize = 2 << 20;

/// How many groups are written side by side: while one waits for its commit, others keep the server busy.
pub const GROUPS_SIDE_BY_SIDE: usize = 3;

/// What to do.
#[derive(Clone, Debug)]
pub struct Request {
    /// With what.
    pub target: Target,
    /// Where to; `None` for the default: this program's version for the database, the database's version for
    /// datasets.
    pub destination: Option<Release>,
    /// What happens when one dataset cannot be migrated.
    pub on_failure: OnFailure,
    /// Only say what would be done.
    pub dry_run: bool,
    /// Keep no undo journal.
    pub without_undo: bool,
    /// Keep nothing of what is dropped on the way down, and give nothing back on the way up.
    pub without_archive: bool,
}

/// What to migrate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The database's own version, no dataset.
    Database,
    /// The database and every dataset.
    Everything,
    /// These datasets, by name.
    Datasets(Vec<String>),
    /// The datasets of a selection, as they were selected.
    Selected(Frozen),
}

/// What happens when a dataset cannot be migrated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// Nothing is written if a refusal can be foreseen, and the first failure ends the run.
    Stop,
    /// The others are migrated.
    GoOn,
}

/// One run.
#[derive(Debug)]
pub struct Run {
    pub(crate) store: Store,
    pub(crate) admin: bool,
    /// What allows it; none for what was asked for before, and allowed then.
    pub(crate) permit: Option<Permit>,
    pub(crate) control: Control,
    pub(crate) request: Request,
    pub(crate) going: Going,
    /// For how long an undo journal is kept.
    pub(crate) undo_days: u32,
}

/// Whether a run begins, or goes on.
#[derive(Clone, Debug, Default)]
pub struct Going {
    /// The run to go on with; `None` for a new one.
    pub(crate) job: Option<ObjectId>,
    /// That run as it was when it was decided to go on with it.
    pub(crate) read: Option<AsRead>,
    /// The run that would be begun, where it is only said what it would do.
    pub(crate) planned: Option<ObjectId>,
    /// Only these datasets, by the text of their `_id`: names may have changed since it began.
    pub(crate) only: Option<BTreeSet<String>>,
    /// Whether it is left to other servers when this one is told to stop.
    pub(crate) hands_over: bool,
    /// Datasets of it that are not where they were to go, and that are not tried again now.
    pub(crate) left: Vec<DatasetReport>,
}

/// What happens to the database as a whole.
#[derive(Debug)]
struct DatabasePlan {
    read: Config,
    changed: admin::Database,
    destination: Release,
    way: Option<Direction>,
    report: DatabaseReport,
}

impl Run {
    /// Does what was asked for.
    ///
    /// # Errors
    ///
    /// If nothing could be begun, or the connection was lost. Whatever happened to single datasets is in the
    /// report.
    pub async fn run(self) -> Result<Report> {
        self.store.server().await?;
        let config = self.store.config().await?;
        let head = self.database_head(&config)?;
        let mut database = self.plan_database(&config, head.as_ref()).await?;
        let at = database.as_ref().map(|it| it.destination.clone()).or(head);
        let at = at.unwrap_or_else(|| newest().clone());
        let archive = self.archived().await?;
        let plan = self.plan_datasets(&at, archive.as_deref()).await?;
        self.allow_the_way(database.as_ref(), &plan)?;

        let mut report = Report {
            dry_run: self.request.dry_run,
            database: database.as_ref().map(|it| it.report.clone()),
            datasets: plan.settled.clone(),
            ..Report::default()
        };
        self.control.send(Event::Planned { datasets: plan.tasks.len() + plan.stamps.len() });
        for it in plan.settled.iter().filter(|it| it.is_failure()) {
            self.control.send(Event::Finished(it.clone()));
        }
        if self.request.dry_run {
            let (previews, mut estimate, survey) = self.preview(&plan, archive.as_ref()).await?;
            report.datasets.extend(previews);
            estimate.add_collections(database.iter().flat_map(|it| &it.changed.drop));
            let expected = self.expect(survey, estimate, &mut report).await;
            expected.map_err(|it| self.store.error(it))?;
            report.sort();
            return Ok(report);
        }
        if self.request.on_failure == OnFailure::Stop
            && self.foresees_failure(&plan, archive.as_ref(), &mut report).await?
        {
            report.sort();
            return Ok(report);
        }
        let nothing = plan.tasks.is_empty()
            && plan.stamps.is_empty()
            && database.as_ref().is_none_or(|it| it.report.state == State::Current);
        if nothing && self.going.job.is_none() && !self.is_left_behind().await? {
            report.sort();
            return Ok(report);
        }
        let proposal = self.proposal(&plan, database.as_ref(), &at)?;
        let process = self.store.process().await.map_err(|it| self.store.error(it))?;
        let hand = Hand::take(&self.store, proposal, self.control.clone()).await?;
        report.run = Some(hand.id().to_hex());
        report.is_kept = hand.keeps_journal();
        let plan = without_done(plan, &hand, &mut report);
        let mut written = self.settle(archive.as_deref(), &hand).await;
        if written.is_ok() {
            written = self.write(plan, database.as_mut(), &mut report, &hand).await;
        }
        if written.is_ok() && !self.control.is_stopped() {
            written = self.verify(&mut report, &hand, process).await;
        }
        self.control.mind(&written);
        let halted = self.control.is_stopped();
        let failures =
            report.datasets.iter().any(DatasetReport::is_failure) || !self.going.left.is_empty();
        report.left = crate::report::failures(&self.going.left);
        report.datasets.extend(self.going.left.iter().cloned());
        let error =
            self.control.broken().or_else(|| written.as_ref().err().map(ToString::to_string));
        let run = hand.id();
        let rested = hand.rest(halted, failures, error.clone()).await;
        let expired = Expiry::of(&self.store).await;
        if expired.count() > 0 && !self.control.is_told_to_stop() {
            self.control.send(Event::Expired { journals: expired.count() });
            expired.remove(|| !self.control.is_told_to_stop()).await;
        }
        if let Some(reason) = error.filter(|_| self.control.is_cut_off()) {
            return Err(Error::cut_off(rested, run.to_hex(), reason));
        }
        written?;
        report.run_state = Some(rested?);
        report.stopped = halted;
        report.database = database.map(|it| it.report);
        report.sort();
        Ok(report)
    }

    /// Going down takes a right of its own, and whether anything does is known now.
    fn allow_the_way(&self, database: Option<&DatabasePlan>, plan: &Plan) -> Result<()> {
        let Some(permit) = self.permit.as_ref().filter(|_| !self.request.dry_run) else {
            return Ok(());
        };
        let mut datasets = plan.stamps.iter().chain(&plan.tasks);
        let down = database.is_some_and(|it| it.way == Some(Direction::Down))
            || datasets.any(|it| policy::may_go_down(it.head.as_ref(), &it.destination));
        if down {
            permit.covers(Action::Downgrade)?;
        }
        Ok(())
    }

    /// Says what there is to do, what it needs and how long it takes.
    async fn expect(
        &self,
        survey: Survey,
        estimate: Estimate,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let counted = survey.count(&self.store, estimate.collections()).await?;
        if !self.request.without_undo {
            report.undo_journal = Some(estimate.size(&self.store, &counted).await?);
        }
        let expected = survey.estimate(&self.store, &counted, report.undo_journal).await?;
        report.estimate = Some(expected);
        Ok(())
    }

    /// Whether a run with the same to do was left behind: it may have come to its last dataset, and not to its end. Or one
    /// that did and could not remove what nothing refers to any more.
    async fn is_left_behind(&self) -> Result<bool> {
        if !self.admin {
            return Ok(false);
        }
        let asked = Asked::of(&self.request);
        let left = self.store.unfinished_jobs().await.map_err(|it| self.store.error(it))?;
        let same =
            |it: &Job| it.state.is_active() && it.state != JobState::Undoing && it.asked == asked;
        if left.iter().any(same) {
            return Ok(true);
        }
        let ended = self.store.ended_with_leftovers().await;
        Ok(!ended.map_err(|it| self.store.error(it))?.is_empty())
    }

    /// Before anything is loaded: what the archive has of datasets that somebody has committed who was gone right after it.
    async fn settle(&self, archive: Option<&Entries>, hand: &Hand) -> Result<()> {
        if archive.is_some_and(|it| hand.goes_on() || it.are_unsettled()) {
            settle_left(&self.store).await.map_err(|it| self.store.error(it))?;
        }
        Ok(())
    }

    /// Writes it all, in the order that leaves no old client in front of new data.
    async fn write(
        &self,
        plan: Plan,
        mut database: Option<&mut DatabasePlan>,
        report: &mut Report,
        hand: &Hand,
    ) -> Result<()> {
        let going_down = database.as_ref().is_some_and(|it| it.way == Some(Direction::Down));
        if let Some(database) = database.as_mut().filter(|_| !going_down) {
            self.write_database(database, hand).await?;
        }
        self.write_datasets(plan, report, hand).await?;
        match database {
            Some(database) if going_down && self.control.is_stopped() => {
                database.report.state = State::Untouched;
            }
            Some(database) if going_down => self.write_database(database, hand).await?,
            Some(_) | None => {}
        }
        Ok(())
    }

    /// Looks at everything once more; last at the version of every dataset: one that a client of an older version has
    /// written back meanwhile is not where it was to go.
    ///
    /// `process`: which one answered when the run began.
    async fn verify(
        &self,
        report: &mut Report,
        hand: &Hand,
        process: Option<ObjectId>,
    ) -> Result<()> {
        hand.verifies().await.map_err(|it| self.store.error(it))?;
        match sweep_all(&self.store, hand.id()).await {
            Err(failure) if failure.is_fatal() => return Err(self.store.error(failure)),
            // The datasets are migrated; what is left over is in nobody's way.
            Err(failure) => {
                let text = format!("what is no longer needed could not be removed: {failure}");
                log(&self.store, hand.id(), &text).await;
            }
            Ok(()) => {}
        }
        let verifying = Verifying { store: &self.store, control: &self.control, hand };
        verifying.verify(report).boxed().await.map_err(|it| self.store.error(it))?;
        if self.control.is_stopped() {
            return Ok(());
        }
        let entries = self.store.entries().await.map_err(|it| self.store.error(it))?;
        let now: BTreeMap<String, &Entry> = entries.iter().map(|it| (it.id_text(), it)).collect();
        let mut moved = Vec::new();
        // What was noted on a server that is gone may be gone with it.
        if hand.goes_on() || self.store.is_still(process).await.is_err() {
            let unnoted = unnoted(&self.store, hand, &now, report).await;
            moved.extend(unnoted.map_err(|it| self.store.error(it))?);
        }
        for it in report.datasets.iter_mut().filter(|it| it.state == State::Migrated) {
            let Some(entry) = now.get(&it.id) else { continue }; // deleted meanwhile
            let found = entry.version.as_str();
            if !it.destination.as_deref().is_some_and(|it| is_at(entry, it)) {
                it.state = State::Failed;
                it.cause = Some(Cause::WrittenBack);
                it.reason = Some(format!(
                    "dataset `{}` was migrated, but is at {} now: an older client has written it back; disconnect it \
                     and run this again",
                    it.label(),
                    found.map_or("no version".to_owned(), |it| format!("v{it}")),
                ));
                moved.push(it.clone());
            }
        }
        hand.note(&moved).await.map_err(|it| self.store.error(it))
    }

    /// What there is to do, if that is what was agreed to.
    fn proposal(
        &self,
        plan: &Plan,
        database: Option<&DatabasePlan>,
        at: &Release,
    ) -> Result<Proposal> {
        let course = course(database, plan);
        if let Some(read) = &self.going.read {
            read.covers(&course)?;
        }
        let destination = self.request.destination.as_ref();
        let asked = Asked::of(&self.request);
        let ahead = plan.stamps.iter().chain(&plan.tasks).map(|it| report_of(it, State::Planned));
        let mut hash = Sha256::new();
        let mut datasets = Vec::new();
        let arrived = plan.tasks.iter().filter(|it| is_at(&it.entry, &it.destination.to_string()));
        let arrived = arrived.map(|it| it.entry.id_text()).collect();
        for it in ahead.chain(plan.settled.iter().filter(|it| it.is_failure()).cloned()) {
            hash.update(format!("{} {:?} {:?}\n", it.id, it.head, it.destination));
            datasets.push(noted(&it).map_err(|it| self.store.error(it))?);
        }
        let plan = format!("{:x}", hash.finalize());
        let destination =
            destination.unwrap_or(if base(at) > *newest() { newest() } else { at }).to_string();
        let Going { job, read, hands_over, .. } = self.going.clone();
        let undo_days = self.undo_days;
        let by = self.permit.as_ref().map_or_else(crate::operator, |it| it.holder().to_owned());
        let agreed = course.agreed;
        Ok(Proposal {
            asked,
            by,
            datasets,
            arrived,
            plan,
            destination,
            agreed,
            job,
            read,
            hands_over,
            undo_days,
        })
    }

    fn database_head(&self, config: &Config) -> Result<Option<Release>> {
        let Some(text) = config.version() else { return Ok(None) };
        text.parse().map(Some).map_err(|_| Error::MalformedConfig {
            database: self.store.name().to_owned(),
            reason: format!("its version `{text}` is not a version"),
        })
    }

    /// A dry run shows what an admin's run would do, whoever asks.
    fn as_admin(&self) -> bool {
        self.admin || self.request.dry_run
    }

    async fn plan_database(
        &self,
        config: &Config,
        head: Option<&Release>,
    ) -> Result<Option<DatabasePlan>> {
        if let Target::Datasets(_) | Target::Selected(_) = self.request.target {
            // A connection would be refused; so are we. It never upgrades the database by itself.
            return match head {
                Some(head) if !self.as_admin() && !crate::versions::is_compatible(head) => {
                    Err(Error::Refused(policy::cannot_connect(head)))
                }
                _ => Ok(None),
            };
        }
        let destination = self.request.destination.as_ref();
        let (destination, moves) = match policy::database(head, destination, self.as_admin()) {
            Decision::Stay => (head.unwrap_or(newest()).clone(), false),
            Decision::Migrate(destination) => (destination, true),
            Decision::Refuse(why) | Decision::Forbid(why) => return Err(Error::Refused(why)),
        };
        let from = head.cloned().unwrap_or_else(|| destination.clone());
        let way = direction(&from, &destination);
        let crossed = admin::between(&from, &destination);
        let read =
            admin::Database { config: config.document.clone(), ..admin::Database::default() };
        let mut changed = if crossed.is_empty() {
            read
        } else {
            let collections = self.collections().await?;
            let in_use =
                self.store.collections_in_use().await.map_err(|it| self.store.error(it))?;
            let read = admin::Database { collections, in_use, ..read };
            admin::fold(read, &from, &destination).map_err(|it| Error::Refused(it.to_string()))?
        };
        if moves {
            changed.config.insert("version", destination.to_string());
        }
        let state = match (moves, self.request.dry_run) {
            (false, _) => State::Current,
            (true, true) => State::Planned,
            (true, false) => State::Untouched,
        };
        let report = DatabaseReport {
            head: config.version().map(str::to_owned),
            destination: moves.then(|| destination.to_string()),
            revisions: crossed.iter().map(|it| it.version.to_string()).collect(),
            drops: changed.drop.iter().cloned().collect(),
            state,
        };
        Ok(Some(DatabasePlan { read: config.clone(), changed, destination, way, report }))
    }

    async fn collections(&self) -> Result<BTreeSet<String>> {
        self.store.collections().await.map_err(|it| self.store.error(it))
    }

    /// What the archive has for the datasets of this database, if it is to be used.
    async fn archived(&self) -> Result<Option<Arc<Entries>>> {
        if self.request.without_archive || self.request.target == Target::Database {
            return Ok(None);
        }
        match Entries::of(&self.store).await {
            // Whoever may only look at FiftyOne's database may still see what would happen in it.
            Err(failure) if failure.is_of_rights() && self.request.dry_run => Ok(None),
            entries => Ok(Some(Arc::new(entries.map_err(|it| self.store.error(it))?))),
        }
    }

    async fn plan_datasets(&self, database: &Release, archive: Option<&Entries>) -> Result<Plan> {
        let names = match &self.request.target {
            Target::Database => return Ok(Plan::default()),
            Target::Everything | Target::Selected(_) => None,
            Target::Datasets(names) => Some(names),
        };
        let mut entries = self.store.entries().await.map_err(|it| self.store.error(it))?;
        if let Some(only) = &self.going.only {
            entries.retain(|it| only.contains(&it.id_text()));
        } else if let Target::Selected(frozen) = &self.request.target {
            let selected = selected_ids(&self.store, *frozen).await?;
            entries.retain(|it| selected.contains(&it.id_text()));
        } else if let Some(names) = names {
            if let Some(unknown) =
                names.iter().find(|name| !entries.iter().any(|it| it.is_named(name)))
            {
                return Err(Error::unknown_dataset(unknown, &entries));
            }
            entries.retain(|it| names.iter().any(|name| it.is_named(name)));
        }
        let admin = self.as_admin();
        let destination = self.request.destination.as_ref();
        plan(entries, destination, database, admin, archive).map_err(Error::Refused)
    }

    async fn write_database(&self, plan: &mut DatabasePlan, hand: &Hand) -> Result<()> {
        if plan.report.state == State::Current {
            return Ok(());
        }
        self.control.send(Event::Database(plan.report.clone()));
        let before = self.store.process().await.map_err(|it| self.store.error(it))?;
        if let Some(journal) = self.journal(hand, BTreeSet::new()) {
            let changed = Config { document: plan.changed.config.clone() };
            let goes_down = plan.way == Some(Direction::Down);
            let kept = journal.keep_database(&plan.read, &changed, &plan.changed.drop, goes_down);
            match kept.await {
                Ok(()) => {}
                Err(Halt::Stopped) => {
                    plan.report.state = State::Untouched;
                    return Ok(());
                }
                Err(Halt::Failed(failure)) => return Err(self.store.error(failure)),
            }
        }
        // What was kept of them may be gone otherwise.
        self.store.is_still(before).await.map_err(|it| self.store.error(it))?;
        for collection in &plan.changed.drop {
            if !self.control.may_go_on().await {
                plan.report.state = State::Untouched;
                return Ok(());
            }
            self.store.drop_collection(collection).await.map_err(|it| self.store.error(it))?;
        }
        if !self.control.may_go_on().await {
            plan.report.state = State::Untouched;
            return Ok(());
        }
        let changed = Config { document: plan.changed.config.clone() };
        let stamped = self.store.stamp_database(&plan.read, &changed).await;
        let stamped = stamped.map_err(|it| self.store.error(it))?
            // By somebody who does the same at the same time.
            || self.store.config().await?.version() == changed.version();
        if !stamped {
            return Err(Error::Refused(format!(
                "the `config` document of database `{}` was changed by somebody else meanwhile; look at \
                 `--info` and run this again",
                self.store.name()
            )));
        }
        plan.report.state = State::Migrated;
        Ok(())
    }

    /// With [`OnFailure::Stop`], everything is folded once before anything is written.
    async fn foresees_failure(
        &self,
        plan: &Plan,
        archive: Option<&Arc<Entries>>,
        report: &mut Report,
    ) -> Result<bool> {
        let (previews, ..) = self.preview(plan, archive).await?;
        if !report.datasets.iter().chain(&previews).any(DatasetReport::is_failure) {
            return Ok(false);
        }
        if let Some(database) = &mut report.database {
            database.state = State::Untouched;
        }
        for mut it in previews {
            if it.state == State::Planned {
                it.state = State::Untouched;
            } else if it.is_failure() {
                self.control.send(Event::Finished(it.clone()));
            }
            report.datasets.push(it);
        }
        Ok(true)
    }

    async fn preview(
        &self,
        plan: &Plan,
        archive: Option<&Arc<Entries>>,
    ) -> Result<(Vec<DatasetReport>, Estimate, Survey)> {
        let (mut estimate, mut survey) = (Estimate::default(), Survey::default());
        estimate.add_stamps(plan.stamps.len());
        survey.add_stamps(plan.stamps.len());
        let mut reports: Vec<DatasetReport> =
            plan.stamps.iter().map(|it| report_of(it, State::Planned)).collect();
        let error = |it| self.store.error(it);
        let run = self.going.job.or(self.going.planned).unwrap_or_default();
        let times = Times::of(run, DateTime::now());
        let loader = Loader::new(self.store.clone(), times, &plan.tasks, archive.cloned());
        let loader = loader.await.map_err(error)?;
        for tasks in groups(&plan.tasks) {
            if self.control.is_stopped() {
                break;
            }
            for loaded in loader.load(tasks).await.map_err(error)? {
                reports.push(match loaded {
                    Loaded::Ready(work) => {
                        estimate.add(&work).map_err(error)?;
                        survey.add(&work, !self.request.without_undo);
                        previewed(&work)
                    }
                    Loaded::Done(task) => report_of(&task, State::Current),
                    Loaded::Refused(task, reason) => refused(&task, reason),
                });
            }
        }
        Ok((reports, estimate, survey))
    }

    async fn write_datasets(&self, plan: Plan, report: &mut Report, hand: &Hand) -> Result<()> {
        let settled = report.datasets.len();
        let ahead = plan.stamps.iter().chain(&plan.tasks).map(|it| it.entry.id_text());
        self.control.tally().plan(ahead);
        self.stamp(plan.stamps, report, hand).await?;
        // Those that were settled before are written down already, where there is anything to say of them.
        hand.note(&report.datasets[settled..]).await.map_err(|it| self.store.error(it))?;
        if plan.tasks.is_empty() {
            return Ok(());
        }
        let lead = Lead::new(&self.store, hand, self.control.clone(), plan.tasks);
        let goes_on = self.going.job.is_some() || hand.goes_on();
        let stops = self.request.on_failure == OnFailure::Stop;
        let archive = !self.request.without_archive;
        let keeps = Keeps { journal: hand.keeps_journal(), archive };
        lead.work(keeps, goes_on, stops, report).boxed().await
    }

    /// Where it is kept how things were, if this run keeps that.
    fn journal(&self, hand: &Hand, existing: BTreeSet<String>) -> Option<Journal> {
        hand.keeps_journal().then(|| Journal {
            store: self.store.clone(),
            control: self.control.clone(),
            run: hand.id(),
            time: hand.time(),
            goes_on: self.going.job.is_some() || hand.goes_on(),
            existing: Arc::new(existing),
            contended: Contended::default(),
        })
    }

    /// Those that cross no revision only get a new version: one command for thousands.
    async fn stamp(&self, stamps: Vec<Task>, report: &mut Report, hand: &Hand) -> Result<()> {
        let mut by_destination: BTreeMap<String, Vec<Task>> = BTreeMap::new();
        for it in stamps {
            by_destination.entry(it.destination.to_string()).or_default().push(it);
        }
        for (version, tasks) in by_destination {
            if !self.control.may_go_on().await {
                report.datasets.extend(untouched(&tasks));
                continue;
            }
            let swaps: Vec<_> =
                tasks.iter().map(|it| (it.entry.id.clone(), it.entry.version.clone())).collect();
            let begun = tasks.iter().map(|it| (it.entry.id_text(), whole(it.entry.bytes)));
            self.control.tally().open(begun);
            if let Some(journal) = self.journal(hand, BTreeSet::new()) {
                let kept = journal.keep_stamps(&swaps, &version).await;
                kept.map_err(|it| self.store.error(it))?;
            }
            let stamped = self.store.stamp_datasets(&swaps, &version).await;
            let complete = stamped.map_err(|it| self.store.error(it))? == tasks.len();
            let left = if complete { Vec::new() } else { self.not_at(&tasks, &version).await? };
            for task in tasks {
                let moved = left.contains(&task.entry.id);
                let mut it = report_of(&task, if moved { State::Failed } else { State::Migrated });
                it.reason = moved.then(|| {
                    "somebody else changed its version meanwhile; run this again".to_owned()
                });
                it.cause = moved.then_some(Cause::Edited);
                it.figures = self.control.tally().close(&it.id, !moved);
                self.control.send(Event::Finished(it.clone()));
                report.datasets.push(it);
            }
        }
        Ok(())
    }

    async fn not_at(&self, tasks: &[Task], version: &str) -> Result<Vec<bson::Bson>> {
        let entries = self.store.entries().await.map_err(|it| self.store.error(it))?;
        let ours = |it: &Entry| tasks.iter().any(|task| task.entry.id == it.id);
        let left =
            entries.into_iter().filter(|it| it.version.as_str() != Some(version) && ours(it));
        Ok(left.map(|it| it.id).collect())
    }
}

/// What would have to be agreed to.
fn course(database: Option<&DatabasePlan>, plan: &Plan) -> Course {
    let ahead: Vec<DatasetReport> =
        plan.stamps.iter().chain(&plan.tasks).map(|it| report_of(it, State::Planned)).collect();
    Course::of(database.map(|it| &it.report), plan.settled.iter().chain(&ahead))
}

/// What is left to do when others have done a part since it was planned: those who helped with a run whose leader is gone.
fn without_done(mut plan: Plan, hand: &Hand, report: &mut Report) -> Plan {
    let done = hand.done_by_others();
    if !done.is_empty() {
        let planned: BTreeSet<String> = plan.tasks.iter().map(|it| it.entry.id_text()).collect();
        let ours = done.iter().filter(|it| planned.contains(&it.id));
        let ids: BTreeSet<String> = ours.clone().map(|it| it.id.clone()).collect();
        report.datasets.extend(ours.cloned());
        plan.tasks.retain(|it| !ids.contains(&it.entry.id_text()));
    }
    plan
}

/// Whether datasets at this version do not say so.
pub fn is_unstamped(version: &Release) -> bool {
    base(version) < Release::new([0, 6, 2])
}

impl Entry {
    fn is_named(&self, name: &str) -> bool {
        self.name.as_deref() == Some(name)
    }
}

impl Report {
    pub(crate) fn sort(&mut self) {
        self.failures = failures(&self.datasets);
        self.datasets.sort_by(|a, b| {
            (a.name.is_none(), &a.name, &a.id).cmp(&(b.name.is_none(), &b.name, &b.id))
        });
    }
}

/// Loads and folds a group: what has to be written, and the reports of what has not.
///
/// In a task of its own, which goes on while nobody looks: one that waits to be looked at may have the last connection
/// that somebody else waits for.
pub async fn folded(writer: Writer, tasks: Vec<Task>) -> (Vec<Work>, Vec<DatasetReport>) {
    let own = tasks.clone();
    tokio::spawn(async move { fold_group(&writer, own).await }).await.unwrap_or_else(|lost| {
        let failure = Failure::other(lost.to_string());
        let failed = |it: &Task| halted(it, Halt::Failed(failure.clone()));
        (Vec::new(), tasks.iter().map(failed).collect())
    })
}

async fn fold_group(writer: &Writer, tasks: Vec<Task>) -> (Vec<Work>, Vec<DatasetReport>) {
    if writer.control.is_stopped() {
        return (Vec::new(), untouched(&tasks));
    }
    match writer.loader.load(tasks.clone()).await {
        Ok(found) => split(found),
        Err(failure) => {
            if failure.is_fatal() {
                writer.control.break_off_by(&failure);
            }
            let failed = |it: &Task| halted(it, Halt::Failed(failure.clone()));
            (Vec::new(), tasks.iter().map(failed).collect())
        }
    }
}

/// Writes a group, unless the run was stopped by now, and adds what became of it to what is settled already.
pub async fn write_group(
    writer: Writer,
    group: Vec<Work>,
    mut settled: Vec<DatasetReport>,
) -> Vec<DatasetReport> {
    let tasks: Vec<Task> = group.iter().map(|it| it.task.clone()).collect();
    let control = writer.control.clone();
    let bytes = |it: &Work| (it.task.entry.id_text(), it.written_bytes());
    let begun: Vec<(String, u64)> = group.iter().map(bytes).collect();
    if writer.control.is_stopped() {
        settled.extend(untouched(&tasks));
        return settled;
    }
    for it in &tasks {
        writer.control.send(Event::Started(report_of(it, State::Planned)));
    }
    control.tally().open(begun);
    let first = settled.len();
    match tokio::spawn(async move { writer.write(group).await }).await {
        Ok(written) => settled.extend(written.into_iter().map(reported)),
        Err(lost) => {
            let failure = Failure::other(lost.to_string());
            settled.extend(tasks.iter().map(|it| halted(it, Halt::Failed(failure.clone()))));
        }
    }
    for it in &mut settled[first..] {
        it.figures = control.tally().close(&it.id, it.state == State::Migrated);
    }
    settled
}

fn whole(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Splits tasks into groups, in their order.
pub fn groups(tasks: &[Task]) -> Vec<Vec<Task>> {
    let (mut groups, mut from, mut bytes) = (Vec::new(), 0, 0);
    for (index, it) in tasks.iter().enumerate() {
        if index > from && (index - from == GROUP || bytes + it.entry.bytes > GROUP_BYTES) {
            groups.push(tasks[from..index].to_vec());
            (from, bytes) = (index, 0);
        }
        bytes += it.entry.bytes;
    }
    if from < tasks.len() {
        groups.push(tasks[from..].to_vec());
    }
    groups
}

/// What has to be written, and the reports of what has not.
fn split(loaded: Vec<Loaded>) -> (Vec<Work>, Vec<DatasetReport>) {
    let (mut group, mut settled) = (Vec::new(), Vec::new());
    for it in loaded {
        match it {
            Loaded::Done(task) => settled.push(report_of(&task, State::Current)),
            Loaded::Refused(task, reason) => settled.push(refused(&task, reason)),
            Loaded::Ready(work) => group.push(*work),
        }
    }
    (group, settled)
}

fn previewed(work: &Work) -> DatasetReport {
    let mut report = report_of(&work.task, State::Planned);
    report.warnings = work.warnings_told();
    report.kept = work.lost.clone().unwrap_or_default();
    if let Some(back) = &work.back {
        report.given_back.clone_from(&back.what);
    }
    let name = work.name.as_deref();
    report.renamed_to = name.filter(|it| Some(*it) != report.name.as_deref()).map(str::to_owned);
    report
}

fn refused(task: &Task, Why { text, cause }: Why) -> DatasetReport {
    let (reason, cause) = (Some(text), Some(cause));
    DatasetReport { reason, cause, ..report_of(task, State::Refused) }
}

fn halted(task: &Task, halt: Halt) -> DatasetReport {
    match halt {
        Halt::Stopped => report_of(task, State::Interrupted),
        Halt::Failed(failure) => DatasetReport {
            reason: Some(format!("dataset `{}`: {}", task.entry.label(), failure.text)),
            cause: Some(failure.cause()),
            ..report_of(task, State::Failed)
        },
    }
}

pub fn untouched(tasks: &[Task]) -> Vec<DatasetReport> {
    tasks.iter().map(|it| report_of(it, State::Untouched)).collect()
}

fn reported(written: Written) -> DatasetReport {
    match written {
        Written::Migrated { task, name, warnings, kept, given_back } => {
            let renamed_to = name.filter(|it| task.entry.name.as_ref() != Some(it));
            let report = report_of(&task, State::Migrated);
            DatasetReport { renamed_to, warnings, kept, given_back, ..report }
        }
        Written::Done(task) => report_of(&task, State::Current),
        Written::Refused(task, reason) => refused(&task, reason),
        Written::Halted(task, halt) => halted(&task, halt),
    }
}

//! Which media a dataset has, and where each file would go, without writing anything.

use std::collections::{BTreeMap, HashMap, HashSet};

use media::{
    Destination, environment,
    layout::{Misplaced, Plan, Resolution, Root, Source, settled},
};
use model::{Action, MediaSurvey, Permit, words};

use super::{
    TransferPhase, TransferProgress, UploadRequest,
    gather::{EXAMPLES, File, Gather},
    is_same_file, mark, refused,
    subject::Subject,
};
use crate::{Engine, Result, store::PlannedFile};

/// How many collisions are told.
const COLLISIONS: usize = 10;

/// What every place follows from.
pub(super) struct Planned {
    pub subject: Subject,
    pub to: Destination,
    pub plan: Plan,
    pub survey: MediaSurvey,
    how: Resolution,
    colliding: HashSet<u128>,
    /// A file that would be copied onto itself, and be the only one when it is cleaned up.
    same: Option<String>,
}

impl Engine {
    /// Says which media a dataset has, and where they would go. Writes nothing.
    ///
    /// # Errors
    ///
    /// If there is no such dataset or field, the address makes no sense, or the server cannot be reached.
    pub async fn survey_media(
        &self,
        permit: &Permit,
        request: &UploadRequest,
        progress: &TransferProgress,
    ) -> Result<MediaSurvey> {
        permit.covers(Action::MoveMedia)?;
        Ok(self.planned(request, progress).await?.survey)
    }

    pub(super) async fn planned(
        &self,
        request: &UploadRequest,
        progress: &TransferProgress,
    ) -> Result<Planned> {
        let to = Destination::open(&request.to, &environment).map_err(refused)?;
        let subject = self.subject(&request.dataset, &request.fields).await?;
        progress.enter(TransferPhase::Looking);
        let root = match &request.root {
            Some(root) => root.clone(),
            None => self.root(&subject, &to).await?,
        };
        let plan = Plan { layout: request.layout.clone(), root, dataset: subject.entry.label() };
        let survey = MediaSurvey {
            name: subject.entry.label(),
            destination: to.url().to_owned(),
            root: plan.root.clone(),
            ..MediaSurvey::default()
        };
        let how = request.on_collision;
        let mut planned =
            Planned { subject, to, plan, survey, how, colliding: HashSet::new(), same: None };
        self.lay_out(&mut planned, progress).await?;
        Ok(planned)
    }

    /// The longest folder that all files are below.
    async fn root(&self, subject: &Subject, to: &Destination) -> Result<String> {
        let mut root = Root::default();
        let before = self.store.upload(&subject.entry.id, to.url()).await;
        if let Some(before) = before.map_err(|it| self.store.error(it))? {
            // Once paths are rewritten, fewer files are left; where they go stays the same.
            let folder = before.layout.get_str("root").unwrap_or("/");
            root.add(&format!("{}/file", folder.trim_end_matches('/')));
        }
        let mut gather = Gather::names(&self.store, subject, to);
        while let Some(files) = gather.next().await? {
            for it in &files {
                root.add(&it.source);
            }
        }
        Ok(root.folder().to_owned())
    }

    /// Finds every collision before the first byte.
    async fn lay_out(&self, planned: &mut Planned, progress: &TransferProgress) -> Result<()> {
        let (subject, to) = (planned.subject.clone(), planned.to.clone());
        let mut taken: HashMap<u128, u128> = HashMap::new();
        let mut gather = Gather::new(&self.store, &subject, &to);
        planned.survey.fields.clone_from(&gather.met);
        while let Some(files) = gather.next().await? {
            progress.seen(files.len() as u64);
            for file in &files {
                match planned.first_place(file, &subject) {
                    Ok(place) => {
                        planned.count(file, &place);
                        let (place, source) = (mark(&place), mark(&file.source));
                        if *taken.entry(place).or_insert(source) != source {
                            planned.colliding.insert(place);
                        }
                    }
                    Err(why) => planned.unplaced(file, why),
                }
            }
        }
        let examples = std::mem::replace(&mut planned.survey.fields, gather.met);
        for (field, before) in planned.survey.fields.iter_mut().zip(examples) {
            field.examples = before.examples;
        }
        if !planned.colliding.is_empty() {
            let Planned { colliding, survey, same, .. } = planned;
            taken.retain(|place, _| !colliding.contains(place));
            // Some files go elsewhere than they would alone: all of them are told anew.
            (survey.files, survey.bytes, *same) = (0, 0, None);
            survey.fields.iter_mut().for_each(|it| it.examples.clear());
            self.tell(planned, (&subject, &to), taken).await?;
        }
        if let Some(first) = &planned.same {
            planned.survey.blockers.push(format!(
                "the destination of `{first}` is that file itself; choose a folder that media are not in already"
            ));
        }
        Ok(())
    }

    /// Once more, to tell which files collide, and whether what is done about them helps.
    async fn tell(
        &self,
        planned: &mut Planned,
        (subject, to): (&Subject, &Destination),
        mut taken: HashMap<u128, u128>,
    ) -> Result<()> {
        let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut again = 0_u64;
        let mut gather = Gather::new(&self.store, subject, to);
        while let Some(files) = gather.next().await? {
            for file in &files {
                let Ok(first) = planned.first_place(file, subject) else { continue };
                let Ok(place) = planned.place(file, subject) else { continue };
                planned.count(file, &place);
                if !planned.colliding.contains(&mark(&first)) {
                    continue;
                }
                let source = mark(&file.source);
                if planned.how != Resolution::Refuse
                    && *taken.entry(mark(&place)).or_insert(source) != source
                {
                    again += 1;
                }
                if told.len() < COLLISIONS || told.contains_key(&first) {
                    let sources = told.entry(first).or_default();
                    if sources.len() < EXAMPLES {
                        sources.push(file.source.clone());
                    }
                }
            }
        }
        let survey = &mut planned.survey;
        survey.colliding = planned.colliding.len() as u64;
        survey.collisions = told.into_iter().collect();
        if survey.colliding > 0 && planned.how == Resolution::Refuse {
            survey.blockers.push(format!(
                "{} would have several files; choose `--on-collision suffix` or `folder`, or another `--layout`",
                words::counted(survey.colliding, "place")
            ));
        }
        if again > 0 {
            survey.blockers.push(format!(
                "{} would get in another's way even so; choose the other way of `--on-collision`, or another `--layout`",
                words::counted(again, "file")
            ));
        }
        Ok(())
    }
}

impl Planned {
    /// The name of the field that refers to a file.
    pub fn field<'a>(file: &File, subject: &'a Subject) -> &'a str {
        subject.fields().nth(file.field).map_or("", |it| it.name.as_str())
    }

    /// Where a file goes.
    pub fn place(&self, file: &File, subject: &Subject) -> std::result::Result<String, Misplaced> {
        let place = self.first_place(file, subject)?;
        if self.colliding.contains(&mark(&place)) {
            return Ok(settled(self.how, &self.plan.root, &file.source, &place));
        }
        Ok(place)
    }

    /// What is written down of a file; `None` if it has no place.
    pub fn entry(&self, file: &File) -> Option<PlannedFile> {
        let place = self.place(file, &self.subject).ok()?;
        Some(PlannedFile {
            source: file.source.clone(),
            place,
            field: Self::field(file, &self.subject).to_owned(),
            stamp: file.stamp,
        })
    }

    fn first_place(
        &self,
        file: &File,
        subject: &Subject,
    ) -> std::result::Result<String, Misplaced> {
        self.plan.place(Source { path: &file.source, field: Self::field(file, subject) })
    }

    fn unplaced(&mut self, file: &File, why: Misplaced) {
        *self.survey.unplaced.entry(why.to_string()).or_default() += 1;
        if self.survey.unplaced_examples.len() < EXAMPLES {
            self.survey.unplaced_examples.push(file.source.clone());
        }
    }

    fn count(&mut self, file: &File, place: &str) {
        // What cannot be told of a file now is told when it is to be sent.
        let is_itself = || is_same_file(&file.source, &self.to, place).unwrap_or(false);
        if self.same.is_none() && is_itself() {
            self.same = Some(file.source.clone());
        }
        let survey = &mut self.survey;
        survey.files += 1;
        survey.bytes += file.stamp.map_or(0, |it| it.size);
        if let Some(field) = survey.fields.get_mut(file.field)
            && field.examples.len() < EXAMPLES
        {
            field.examples.push((file.source.clone(), self.to.path_of(place)));
        }
    }
}

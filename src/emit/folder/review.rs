//! Every container of a folder beside its prediction, and the files with the sizes in them.

use serde_yaml::{Mapping, Value};

use super::super::merge::{self, Containers};
use super::super::{EmitError, EmitOptions, Sizing, Uncertain, WorkloadKind};
use super::assign::{Assignments, Found, FoundBy, Slot, workload_of};
use super::read::{Folder, ManifestFile};
use super::standing::{Requests, Standing};
use crate::predict::Prediction;

/// What is said of one container.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The file, by its path below the folder.
    pub file: String,
    /// The object's kind.
    pub kind: WorkloadKind,
    /// Its namespace, where the manifest names one.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// The container's.
    pub container: String,
    /// Which workload of the sample it is, and how that was found.
    pub workload: Option<(String, FoundBy)>,
    /// What it asks for now.
    pub now: Requests,
    /// What was found.
    pub answer: Answer,
}

/// What a container gets.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Sizes.
    Sized {
        /// What is written.
        sizing: Sizing,
        /// The position of the prediction among those of the review.
        prediction: usize,
        /// Where the CPU request of now stands.
        cpu: Standing,
        /// Where the memory request of now stands.
        memory: Standing,
    },
    /// No workload of the sample is this container.
    NoSample,
    /// There is no answer, or none that may be written.
    Refused(String),
}

/// A file that gets sizes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFile {
    /// Its path below the folder.
    pub path: String,
    /// What it holds now.
    pub before: String,
    /// What it shall hold; the same text where the sizes are in it already.
    pub after: String,
    /// Whether comments were lost.
    pub is_without_comments: bool,
}

/// An object with its sizes, and which of its containers have some.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SizedObject {
    pub(super) kind: WorkloadKind,
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    pub(super) containers: Vec<SizedContainer>,
    /// Whether its pod has more than one container.
    pub(super) has_several: bool,
}

/// A container that has sizes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SizedContainer {
    pub(super) name: String,
    pub(super) is_initial: bool,
    /// The position of its prediction.
    pub(super) prediction: usize,
}

/// A folder beside its predictions.
#[derive(Debug, Clone, PartialEq)]
pub struct Review {
    /// One row per container, in the order of the files.
    pub rows: Vec<Row>,
    /// The files with sizes in them.
    pub files: Vec<ChangedFile>,
    /// Workloads of the sample that are no container.
    pub unused_workloads: Vec<String>,
    /// Lines of the table of assignments that are no container.
    pub unused_lines: Vec<String>,
    pub(super) objects: Vec<SizedObject>,
}

impl Review {
    /// Puts `predictions` beside the containers of `folder`. An uncertain answer is refused unless `takes_uncertain`.
    ///
    /// # Errors
    /// A factor of `options` that cannot be. What goes wrong with one container is said in its row.
    pub fn of(
        folder: &Folder,
        predictions: &[Prediction],
        assignments: &Assignments,
        options: &EmitOptions,
        takes_uncertain: bool,
    ) -> Result<Self, EmitError> {
        let desk = Desk { predictions, assignments, options, takes_uncertain };
        let mut review = Self {
            rows: Vec::new(),
            files: Vec::new(),
            unused_workloads: Vec::new(),
            unused_lines: Vec::new(),
            objects: Vec::new(),
        };
        let (mut used, mut lines) = (vec![false; predictions.len()], Vec::new());
        for file in &folder.files {
            let mut documents = file.manifest.read.clone();
            let first = review.objects.len();
            for (kind, object) in merge::objects(&mut documents) {
                desk.object(file, kind, object, &mut review, &mut used, &mut lines)?;
            }
            if review.objects.len() > first {
                let rewritten = file.manifest.rewritten_in_place(&documents);
                review.files.push(ChangedFile {
                    path: file.path.clone(),
                    before: file.text.clone(),
                    after: rewritten.text,
                    is_without_comments: rewritten.is_without_comments,
                });
            }
        }
        let unused = predictions.iter().zip(&used).filter(|(_, is_used)| !**is_used);
        review.unused_workloads = unused.map(|(prediction, _)| prediction.workload.clone()).collect();
        review.unused_lines = assignments.unused(&lines);
        Ok(review)
    }

    /// Returns how many containers have a request that is not inside its interval.
    pub fn off(&self) -> usize {
        let is_off = |row: &&Row| match row.answer {
            Answer::Sized { cpu, memory, .. } => cpu.is_off() || memory.is_off(),
            _ => false,
        };
        self.rows.iter().filter(is_off).count()
    }

    /// Returns how many containers have sizes.
    pub fn sized(&self) -> usize {
        self.rows.iter().filter(|row| matches!(row.answer, Answer::Sized { .. })).count()
    }
}

/// What all containers are judged by.
struct Desk<'a> {
    predictions: &'a [Prediction],
    assignments: &'a Assignments,
    options: &'a EmitOptions,
    takes_uncertain: bool,
}

impl Desk<'_> {
    /// Sizes the containers of one object.
    fn object(
        &self,
        file: &ManifestFile,
        kind: WorkloadKind,
        object: &mut Mapping,
        review: &mut Review,
        used: &mut [bool],
        lines: &mut Vec<usize>,
    ) -> Result<(), EmitError> {
        let text = |object: &Mapping, field: &str| object.get("metadata")?.get(field)?.as_str().map(str::to_owned);
        let (name, namespace) = (text(object, "name").unwrap_or_default(), text(object, "namespace"));
        let Containers { ordinary, initial } = merge::containers(kind, object);
        let has_several = ordinary.len() + initial.len() > 1;
        let mut sized = Vec::new();
        for (container, is_initial) in
            ordinary.iter().map(|one| (one, false)).chain(initial.iter().map(|one| (one, true)))
        {
            let container_name = container.get("name").and_then(Value::as_str).unwrap_or_default();
            let is_main = !is_initial && (ordinary.len() == 1 || container_name == name);
            let (kind_name, namespace_text) = (kind.name(), namespace.as_deref());
            let slot =
                Slot { kind: kind_name, namespace: namespace_text, name: &name, container: container_name, is_main };
            let position = |workload: &str| self.predictions.iter().position(|one| one.workload == workload);
            let found = workload_of(slot, object, self.assignments, |name| position(name).is_some());
            // A container that runs once before the others is sized where it is named, and not missed where it is not.
            if is_initial && found.is_none() {
                continue;
            }
            lines.extend(found.as_ref().and_then(|found| found.line));
            let prediction = found.as_ref().and_then(|found| position(&found.workload));
            if let Some(prediction) = prediction {
                used[prediction] = true;
            }
            let now = Requests::of(container);
            let answer = match (&now, prediction) {
                (Err(reason), _) => Answer::Refused(reason.clone()),
                (Ok(_), None) => Answer::NoSample,
                (Ok(now), Some(prediction)) => {
                    self.size(kind, object, container_name, has_several, *now, prediction)?
                }
            };
            if let Answer::Sized { prediction, .. } = answer {
                sized.push(SizedContainer { name: container_name.to_owned(), is_initial, prediction });
            }
            review.rows.push(Row {
                file: file.path.clone(),
                kind,
                namespace: namespace.clone(),
                name: name.clone(),
                container: container_name.to_owned(),
                workload: found.map(|Found { workload, by, .. }| (workload, by)),
                now: now.unwrap_or_default(),
                answer,
            });
        }
        if !sized.is_empty() {
            review.objects.push(SizedObject { kind, name, namespace, containers: sized, has_several });
        }
        Ok(())
    }

    /// Writes the sizes of one container into its object.
    fn size(
        &self,
        kind: WorkloadKind,
        object: &mut Mapping,
        container: &str,
        has_several: bool,
        now: Requests,
        position: usize,
    ) -> Result<Answer, EmitError> {
        let prediction = &self.predictions[position];
        if let Some(uncertain) = Uncertain::of(prediction).filter(|_| !self.takes_uncertain) {
            return Ok(Answer::Refused(format!("uncertain: {uncertain}")));
        }
        let options = options_for(self.options, prediction, container, has_several);
        let sizing = Sizing::of(prediction, &options);
        let merged = match sizing {
            Ok(sizing) => merge::merge_into(kind, object, prediction, &sizing, &options).map(|_place| sizing),
            Err(error) => Err(error),
        };
        match merged {
            Ok(sizing) => {
                let (cpu, memory) = now.standing(prediction);
                Ok(Answer::Sized { sizing, prediction: position, cpu, memory })
            }
            Err(error @ EmitError::BadOption { .. }) => Err(error),
            Err(EmitError::Abstained { .. }) => {
                let reasons = prediction.passed_over.join("; ");
                Ok(Answer::Refused(format!("no prediction: {reasons}")))
            }
            Err(error) => Ok(Answer::Refused(error.to_string())),
        }
    }
}

/// Returns `options` for one container: its notes carry its name where the pod has several.
pub(super) fn options_for(
    options: &EmitOptions,
    prediction: &Prediction,
    container: &str,
    has_several: bool,
) -> EmitOptions {
    let mut options = options.clone();
    if has_several {
        options.containers.insert(prediction.workload.clone(), container.to_owned());
    } else {
        options.container = Some(container.to_owned());
    }
    options
}

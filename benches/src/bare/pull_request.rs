//! GitHub's `pull_request` event of an opened pull request, as a handwritten struct.

use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PullRequestOpened {
    pub action: Action,
    pub number: i64,
    pub pull_request: PullRequest,
    pub repository: Repository,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub installation: Option<InstallationLite>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<Organization>,
    pub sender: User,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub enum Action {
    #[serde(rename = "opened")]
    Opened,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub enum AuthorAssociation {
    #[serde(rename = "COLLABORATOR")]
    Collaborator,
    #[serde(rename = "CONTRIBUTOR")]
    Contributor,
    #[serde(rename = "FIRST_TIMER")]
    FirstTimer,
    #[serde(rename = "FIRST_TIME_CONTRIBUTOR")]
    FirstTimeContributor,
    #[serde(rename = "MANNEQUIN")]
    Mannequin,
    #[serde(rename = "MEMBER")]
    Member,
    #[serde(rename = "NONE")]
    None,
    #[serde(rename = "OWNER")]
    Owner,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct AutoMerge {
    pub enabled_by: Option<User>,
    pub merge_method: AutoMergeMergeMethod,
    pub commit_title: Option<String>,
    pub commit_message: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub enum AutoMergeMergeMethod {
    #[serde(rename = "merge")]
    Merge,
    #[serde(rename = "squash")]
    Squash,
    #[serde(rename = "rebase")]
    Rebase,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct InstallationLite {
    pub id: i64,
    pub node_id: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Label {
    pub id: i64,
    pub node_id: String,
    pub url: String,
    pub name: String,
    pub description: Option<String>,
    pub color: String,
    pub default: bool,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct License {
    pub key: String,
    pub name: String,
    pub spdx_id: String,
    pub url: Option<String>,
    pub node_id: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Link {
    pub href: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Milestone {
    pub url: String,
    pub html_url: String,
    pub labels_url: String,
    pub id: i64,
    pub node_id: String,
    pub number: i64,
    pub title: String,
    pub description: Option<String>,
    pub creator: User,
    pub open_issues: i64,
    pub closed_issues: i64,
    pub state: MilestoneState,
    pub created_at: DateTime<FixedOffset>,
    pub updated_at: DateTime<FixedOffset>,
    pub due_on: Option<DateTime<FixedOffset>>,
    pub closed_at: Option<DateTime<FixedOffset>>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub enum MilestoneState {
    #[serde(rename = "open")]
    Open,
    #[serde(rename = "closed")]
    Closed,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Organization {
    pub login: String,
    pub id: i64,
    pub node_id: String,
    pub url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html_url: Option<String>,
    pub repos_url: String,
    pub events_url: String,
    pub hooks_url: String,
    pub issues_url: String,
    pub members_url: String,
    pub public_members_url: String,
    pub avatar_url: String,
    pub description: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PullRequest {
    pub url: String,
    pub id: i64,
    pub node_id: String,
    pub html_url: String,
    pub diff_url: String,
    pub patch_url: String,
    pub issue_url: String,
    pub number: i64,
    pub state: PullRequestState,
    pub locked: bool,
    pub title: String,
    pub user: User,
    pub body: Option<String>,
    pub created_at: DateTime<FixedOffset>,
    pub updated_at: DateTime<FixedOffset>,
    pub closed_at: Option<DateTime<FixedOffset>>,
    pub merged_at: Option<DateTime<FixedOffset>>,
    pub merge_commit_sha: Option<String>,
    pub assignee: Option<User>,
    pub assignees: Vec<User>,
    pub requested_reviewers: Vec<Value>,
    pub requested_teams: Vec<Team>,
    pub labels: Vec<Label>,
    pub milestone: Option<Milestone>,
    pub commits_url: String,
    pub review_comments_url: String,
    pub review_comment_url: String,
    pub comments_url: String,
    pub statuses_url: String,
    pub head: PullRequestHead,
    pub base: PullRequestBase,
    #[serde(rename = "_links")]
    pub links: PullRequestLinks,
    pub author_association: AuthorAssociation,
    pub auto_merge: Option<AutoMerge>,
    pub active_lock_reason: Option<PullRequestActiveLockReason>,
    pub draft: bool,
    pub merged: Option<bool>,
    pub mergeable: Option<bool>,
    pub rebaseable: Option<bool>,
    pub mergeable_state: String,
    pub merged_by: Option<User>,
    pub comments: i64,
    pub review_comments: i64,
    pub maintainer_can_modify: bool,
    pub commits: i64,
    pub additions: i64,
    pub deletions: i64,
    pub changed_files: i64,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub enum PullRequestActiveLockReason {
    #[serde(rename = "resolved")]
    Resolved,
    #[serde(rename = "off-topic")]
    OffTopic,
    #[serde(rename = "too heated")]
    TooHeated,
    #[serde(rename = "spam")]
    Spam,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PullRequestBase {
    pub label: String,
    #[serde(rename = "ref")]
    pub ref_: String,
    pub sha: String,
    pub user: User,
    pub repo: Repository,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PullRequestHead {
    pub label: String,
    #[serde(rename = "ref")]
    pub ref_: String,
    pub sha: String,
    pub user: User,
    pub repo: Option<Repository>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PullRequestLinks {
    #[serde(rename = "self")]
    pub self_: Link,
    pub html: Link,
    pub issue: Link,
    pub comments: Link,
    pub review_comments: Link,
    pub review_comment: Link,
    pub commits: Link,
    pub statuses: Link,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub enum PullRequestState {
    #[serde(rename = "open")]
    Open,
    #[serde(rename = "closed")]
    Closed,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Repository {
    pub id: i64,
    pub node_id: String,
    pub name: String,
    pub full_name: String,
    pub private: bool,
    pub owner: User,
    pub html_url: String,
    pub description: Option<String>,
    pub fork: bool,
    pub url: String,
    pub forks_url: String,
    pub keys_url: String,
    pub collaborators_url: String,
    pub teams_url: String,
    pub hooks_url: String,
    pub issue_events_url: String,
    pub events_url: String,
    pub assignees_url: String,
    pub branches_url: String,
    pub tags_url: String,
    pub blobs_url: String,
    pub git_tags_url: String,
    pub git_refs_url: String,
    pub trees_url: String,
    pub statuses_url: String,
    pub languages_url: String,
    pub stargazers_url: String,
    pub contributors_url: String,
    pub subscribers_url: String,
    pub subscription_url: String,
    pub commits_url: String,
    pub git_commits_url: String,
    pub comments_url: String,
    pub issue_comment_url: String,
    pub contents_url: String,
    pub compare_url: String,
    pub merges_url: String,
    pub archive_url: String,
    pub downloads_url: String,
    pub issues_url: String,
    pub pulls_url: String,
    pub milestones_url: String,
    pub notifications_url: String,
    pub labels_url: String,
    pub releases_url: String,
    pub deployments_url: String,
    pub created_at: Value,
    pub updated_at: DateTime<FixedOffset>,
    pub pushed_at: Value,
    pub git_url: String,
    pub ssh_url: String,
    pub clone_url: String,
    pub svn_url: String,
    pub homepage: Option<String>,
    pub size: i64,
    pub stargazers_count: i64,
    pub watchers_count: i64,
    pub language: Option<String>,
    pub has_issues: bool,
    pub has_projects: bool,
    pub has_downloads: bool,
    pub has_wiki: bool,
    pub has_pages: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_discussions: Option<bool>,
    pub forks_count: i64,
    pub mirror_url: Option<String>,
    pub archived: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    pub open_issues_count: i64,
    pub license: Option<License>,
    pub forks: i64,
    pub open_issues: i64,
    pub watchers: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stargazers: Option<i64>,
    pub default_branch: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_squash_merge: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_merge_commit: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_rebase_merge: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_auto_merge: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_forking: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_update_branch: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_squash_pr_title_as_default: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub squash_merge_commit_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub squash_merge_commit_title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merge_commit_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merge_commit_title: Option<String>,
    pub is_template: bool,
    pub web_commit_signoff_required: bool,
    pub topics: Vec<String>,
    pub visibility: RepositoryVisibility,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_branch_on_merge: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub master_branch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<RepositoryPermissions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    pub custom_properties: Map<String, Value>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct RepositoryPermissions {
    pub pull: bool,
    pub push: bool,
    pub admin: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maintain: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub triage: Option<bool>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub enum RepositoryVisibility {
    #[serde(rename = "public")]
    Public,
    #[serde(rename = "private")]
    Private,
    #[serde(rename = "internal")]
    Internal,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Team {
    pub name: String,
    pub id: i64,
    pub node_id: String,
    pub slug: String,
    pub description: Option<String>,
    pub privacy: TeamPrivacy,
    pub url: String,
    pub html_url: String,
    pub members_url: String,
    pub repositories_url: String,
    pub permission: String,
    #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub parent: Option<Option<TeamParent>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification_setting: Option<TeamNotificationSetting>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub enum TeamNotificationSetting {
    #[serde(rename = "notifications_enabled")]
    NotificationsEnabled,
    #[serde(rename = "notifications_disabled")]
    NotificationsDisabled,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct TeamParent {
    pub name: String,
    pub id: i64,
    pub node_id: String,
    pub slug: String,
    pub description: Option<String>,
    pub privacy: TeamParentPrivacy,
    pub url: String,
    pub html_url: String,
    pub members_url: String,
    pub repositories_url: String,
    pub permission: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification_setting: Option<TeamParentNotificationSetting>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub enum TeamParentNotificationSetting {
    #[serde(rename = "notifications_enabled")]
    NotificationsEnabled,
    #[serde(rename = "notifications_disabled")]
    NotificationsDisabled,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub enum TeamParentPrivacy {
    #[serde(rename = "open")]
    Open,
    #[serde(rename = "closed")]
    Closed,
    #[serde(rename = "secret")]
    Secret,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub enum TeamPrivacy {
    #[serde(rename = "open")]
    Open,
    #[serde(rename = "closed")]
    Closed,
    #[serde(rename = "secret")]
    Secret,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct User {
    pub login: String,
    pub id: i64,
    pub node_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub email: Option<Option<String>>,
    pub avatar_url: String,
    pub gravatar_id: String,
    pub url: String,
    pub html_url: String,
    pub followers_url: String,
    pub following_url: String,
    pub gists_url: String,
    pub starred_url: String,
    pub subscriptions_url: String,
    pub organizations_url: String,
    pub repos_url: String,
    pub events_url: String,
    pub received_events_url: String,
    #[serde(rename = "type")]
    pub type_: UserType,
    pub site_admin: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub enum UserType {
    Bot,
    User,
    Organization,
}

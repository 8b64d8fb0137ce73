//! Pull requests as GitHub's webhook sends them, about 20 kB each.

use super::Random;
use super::text::{Object, array, quoted};

const API: &str = "https://api.github.com";

/// The suffixes of a repository's URLs.
const OF_REPOSITORY: [(&str, &str); 38] = [
    ("url", ""),
    ("forks_url", "/forks"),
    ("keys_url", "/keys{/key_id}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("teams_url", "/teams"),
    ("hooks_url", "/hooks"),
    ("issue_events_url", "/issues/events{/number}"),
    ("events_url", "/events"),
    ("assignees_url", "/assignees{/user}"),
    ("branches_url", "/branches{/branch}"),
    ("tags_url", "/tags"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("trees_url", "/git/trees{/sha}"),
    ("statuses_url", "/statuses/{sha}"),
    ("languages_url", "/languages"),
    ("stargazers_url", "/stargazers"),
    ("contributors_url", "/contributors"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("commits_url", "/commits{/sha}"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("comments_url", "/comments{/number}"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("contents_url", "/contents/{+path}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("merges_url", "/merges"),
    ("archive_url", "/{archive_format}{/ref}"),
    ("downloads_url", "/downloads"),
    ("issues_url", "/issues{/number}"),
    ("pulls_url", "/pulls{/number}"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("labels_url", "/labels{/name}"),
    ("releases_url", "/releases{/id}"),
    ("deployments_url", "/deployments"),
    ("svn_url", ""),
];

const OF_USER: [(&str, &str); 9] = [
    ("followers_url", "/followers"),
    ("following_url", "/following{/other_user}"),
    ("gists_url", "/gists{/gist_id}"),
    ("starred_url", "/starred{/owner}{/repo}"),
    ("subscriptions_url", "/subscriptions"),
    ("organizations_url", "/orgs"),
    ("repos_url", "/repos"),
    ("events_url", "/events{/privacy}"),
    ("received_events_url", "/received_events"),
];

const FLAGS: [&str; 6] = ["has_issues", "has_projects", "has_downloads", "has_wiki", "has_pages", "has_discussions"];
const MERGING: [&str; 4] = ["allow_squash_merge", "allow_merge_commit", "allow_rebase_merge", "allow_auto_merge"];

pub(crate) fn event(random: &mut Random) -> String {
    let owner = login(random);
    let repository = format!("{owner}/{}", random.of(&["Hello-World", "dotfiles", "twyla", "left-pad", "kernel"]));
    let number = random.from(1, 40_000);
    let mut event = Object::new()
        .text("action", "opened")
        .raw("number", number)
        .raw("pull_request", pull_request(random, &repository, number))
        .raw("repository", self::repository(random, &repository));
    if random.percent(40) {
        event = event.raw("organization", organization(random, &owner));
    }
    if random.percent(60) {
        event = event
            .raw("installation", Object::new().raw("id", random.from(1, 1 << 32)).text("node_id", node(random)).end());
    }
    let sender = login(random);
    event.raw("sender", user(random, &sender)).end()
}

fn login(random: &mut Random) -> String {
    format!("{}{}", random.of(&["Codertocat", "octocat", "hubot", "mona-lisa", "k8s-bot"]), random.from(0, 99))
}

fn node(random: &mut Random) -> String {
    let length = random.from(12, 28);
    random.letters(length, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_=")
}

fn stamp(random: &mut Random) -> String {
    format!("{}T{:02}:{:02}:{:02}Z", random.date(), random.from(0, 23), random.from(0, 59), random.from(0, 59))
}

fn or_null(random: &mut Random, percent: u64, value: impl FnOnce(&mut Random) -> String) -> String {
    if random.percent(percent) { value(random) } else { "null".to_owned() }
}

fn user(random: &mut Random, login: &str) -> String {
    let url = format!("{API}/users/{login}");
    let id = random.from(1, 200_000_000);
    let mut user = Object::new().text("login", login).raw("id", id).text("node_id", node(random));
    if random.percent(10) {
        user = user.text("name", random.words(1, 3)).raw("email", or_null(random, 50, |_| quoted("mona@example.com")));
    }
    user = user
        .text("avatar_url", format!("https://avatars.githubusercontent.com/u/{id}?v=4"))
        .text("gravatar_id", "")
        .text("url", &url)
        .text("html_url", format!("https://github.com/{login}"));
    user = OF_USER.iter().fold(user, |user, (key, end)| user.text(key, format!("{url}{end}")));
    user.text("type", random.of(&["User", "User", "Bot", "Organization"])).raw("site_admin", false).end()
}

fn organization(random: &mut Random, login: &str) -> String {
    let url = format!("{API}/orgs/{login}");
    let id = random.from(1, 200_000_000);
    Object::new()
        .text("login", login)
        .raw("id", id)
        .text("node_id", node(random))
        .text("url", &url)
        .text("repos_url", format!("{url}/repos"))
        .text("events_url", format!("{url}/events"))
        .text("hooks_url", format!("{url}/hooks"))
        .text("issues_url", format!("{url}/issues"))
        .text("members_url", format!("{url}/members{{/member}}"))
        .text("public_members_url", format!("{url}/public_members{{/member}}"))
        .text("avatar_url", format!("https://avatars.githubusercontent.com/u/{id}?v=4"))
        .raw("description", or_null(random, 60, |random| quoted(&random.words(2, 12))))
        .end()
}

fn repository(random: &mut Random, full_name: &str) -> String {
    let (owner, name) = full_name.split_once('/').unwrap_or_default();
    let (url, html) = (format!("{API}/repos/{full_name}"), format!("https://github.com/{full_name}"));
    let (private, forks, issues, watchers) =
        (random.percent(30), random.from(0, 5_000), random.from(0, 900), random.from(0, 90_000));
    let mut repository = Object::new()
        .raw("id", random.from(1, 900_000_000))
        .text("node_id", node(random))
        .text("name", name)
        .text("full_name", full_name)
        .raw("private", private)
        .raw("owner", user(random, owner))
        .text("html_url", &html)
        .raw("description", or_null(random, 70, |random| quoted(&random.words(3, 20))))
        .raw("fork", random.percent(30));
    repository = OF_REPOSITORY.iter().fold(repository, |repository, (key, end)| match *key {
        "svn_url" => repository.text(key, &html),
        key => repository.text(key, format!("{url}{end}")),
    });
    let created =
        if random.percent(20) { random.from(1_400_000_000, 1_790_000_000).to_string() } else { quoted(&stamp(random)) };
    repository = repository
        .raw("created_at", created)
        .text("updated_at", stamp(random))
        .raw("pushed_at", or_null(random, 95, |random| quoted(&stamp(random))))
        .text("git_url", format!("git://github.com/{full_name}.git"))
        .text("ssh_url", format!("git@github.com:{full_name}.git"))
        .text("clone_url", format!("{html}.git"))
        .raw("homepage", or_null(random, 30, |_| quoted("https://example.org")))
        .raw("size", random.from(0, 900_000))
        .raw("stargazers_count", watchers)
        .raw("watchers_count", watchers)
        .raw("language", or_null(random, 80, |random| quoted(random.of(&["Rust", "C++", "Python", "Ruby"]))));
    repository = FLAGS.iter().fold(repository, |repository, flag| repository.raw(flag, random.percent(70)));
    repository = repository
        .raw("forks_count", forks)
        .raw("mirror_url", "null")
        .raw("archived", false)
        .raw("disabled", false)
        .raw("open_issues_count", issues)
        .raw("license", or_null(random, 60, license))
        .raw("allow_forking", true)
        .raw("is_template", false)
        .raw("web_commit_signoff_required", false)
        .raw("topics", array((0..random.from(0, 6)).map(|_| quoted(random.of(&["events", "schema", "rust", "json"])))))
        .text("visibility", if private { "private" } else { "public" })
        .raw("forks", forks)
        .raw("open_issues", issues)
        .raw("watchers", watchers)
        .text("default_branch", random.of(&["main", "master", "trunk"]));
    if random.percent(40) {
        repository = MERGING.iter().fold(repository, |repository, flag| repository.raw(flag, random.percent(70)));
        repository = repository.raw("delete_branch_on_merge", false).text("squash_merge_commit_title", "PR_TITLE");
    }
    let mut properties = Object::new();
    if random.percent(30) {
        properties = properties.text("team", "platform").raw("regions", "[\"eu\",\"us\"]").raw("tier", "null");
    }
    repository.raw("custom_properties", properties.end()).end()
}

fn license(random: &mut Random) -> String {
    Object::new()
        .text("key", "mit")
        .text("name", "MIT License")
        .text("spdx_id", "MIT")
        .text("url", format!("{API}/licenses/mit"))
        .text("node_id", node(random))
        .end()
}

fn label(random: &mut Random, url: &str) -> String {
    let name = random.of(&["bug", "good first issue", "help wanted", "überfällig"]);
    Object::new()
        .raw("id", random.from(1, 1 << 32))
        .text("node_id", node(random))
        .text("url", format!("{url}/labels/bug"))
        .text("name", name)
        .text("color", random.hex(6))
        .raw("default", random.percent(50))
        .raw("description", or_null(random, 70, |random| quoted(&random.words(2, 8))))
        .end()
}

fn team(random: &mut Random) -> String {
    let url = format!("{API}/organizations/{}/team/{}", random.digits(6), random.digits(5));
    let team = Object::new()
        .text("name", "Justice League")
        .raw("id", random.from(1, 9_000_000))
        .text("node_id", node(random))
        .text("slug", "justice-league")
        .raw("description", or_null(random, 70, |random| quoted(&random.words(2, 8))))
        .text("privacy", random.of(&["open", "closed", "secret"]))
        .text("url", &url)
        .text("html_url", "https://github.com/orgs/octo/teams/justice-league")
        .text("members_url", format!("{url}/members{{/member}}"))
        .text("repositories_url", format!("{url}/repos"))
        .text("permission", random.of(&["pull", "push", "admin"]));
    if random.percent(50) { team.raw("parent", "null") } else { team }.end()
}

fn milestone(random: &mut Random, url: &str) -> String {
    let creator = login(random);
    Object::new()
        .text("url", format!("{url}/milestones/1"))
        .text("html_url", "https://github.com/octocat/Hello-World/milestone/1")
        .text("labels_url", format!("{url}/milestones/1/labels"))
        .raw("id", random.from(1, 9_000_000))
        .text("node_id", node(random))
        .raw("number", random.from(1, 40))
        .text("title", random.words(1, 4))
        .raw("description", or_null(random, 60, |random| quoted(&random.words(5, 30))))
        .raw("creator", user(random, &creator))
        .raw("open_issues", random.from(0, 90))
        .raw("closed_issues", random.from(0, 90))
        .text("state", "open")
        .text("created_at", stamp(random))
        .text("updated_at", stamp(random))
        .raw("due_on", or_null(random, 40, |random| quoted(&stamp(random))))
        .raw("closed_at", "null")
        .end()
}

fn branch(random: &mut Random, repository: &str, may_lack: bool) -> String {
    let owner = repository.split_once('/').map_or("", |(owner, _)| owner);
    let name = random.of(&["main", "fix/overflow", "feature/ünicode", "dependabot/npm_and_yarn/lodash-4.17.21"]);
    let lacks = may_lack && random.percent(5);
    Object::new()
        .text("label", format!("{owner}:{name}"))
        .text("ref", name)
        .text("sha", random.hex(40))
        .raw("user", user(random, owner))
        .raw("repo", if lacks { "null".to_owned() } else { self::repository(random, repository) })
        .end()
}

fn pull_request(random: &mut Random, repository: &str, number: u64) -> String {
    let (url, html) = (format!("{API}/repos/{repository}"), format!("https://github.com/{repository}/pull/{number}"));
    let (pull, issue) = (format!("{url}/pulls/{number}"), format!("{url}/issues/{number}"));
    let statuses = format!("{url}/statuses/{}", random.hex(40));
    let (author, reviewer, assignee, fork) = (login(random), login(random), login(random), login(random));
    let fork = repository.split_once('/').map_or_else(|| fork.clone(), |(_, name)| format!("{fork}/{name}"));
    let comment = format!("{url}/pulls/comments{{/number}}");
    let link = |href: &str| Object::new().text("href", href).end();
    let links = Object::new()
        .raw("self", link(&pull))
        .raw("html", link(&html))
        .raw("issue", link(&issue))
        .raw("comments", link(&format!("{issue}/comments")))
        .raw("review_comments", link(&format!("{pull}/comments")))
        .raw("review_comment", link(&comment))
        .raw("commits", link(&format!("{pull}/commits")))
        .raw("statuses", link(&statuses));
    let reviewers = (0..random.from(0, 2)).map(|_| user(random, &reviewer)).collect::<Vec<_>>();
    let mut all = Object::new()
        .text("url", &pull)
        .raw("id", random.from(1, 1 << 32))
        .text("node_id", node(random))
        .text("html_url", &html)
        .text("diff_url", format!("{html}.diff"))
        .text("patch_url", format!("{html}.patch"))
        .text("issue_url", &issue)
        .raw("number", number)
        .text("state", "open")
        .raw("locked", false)
        .text("title", random.words(3, 12))
        .raw("user", user(random, &author))
        .raw("body", or_null(random, 80, |random| quoted(&random.words(5, 200))))
        .text("created_at", stamp(random))
        .text("updated_at", stamp(random));
    for key in ["closed_at", "merged_at", "merge_commit_sha"] {
        all = all.raw(key, "null");
    }
    all.raw("assignee", or_null(random, 30, |random| user(random, &assignee)))
        .raw("assignees", array((0..random.from(0, 2)).map(|_| user(random, &assignee)).collect::<Vec<_>>()))
        .raw("requested_reviewers", array(reviewers))
        .raw("requested_teams", array((0..random.from(0, 1)).map(|_| team(random)).collect::<Vec<_>>()))
        .raw("labels", array((0..random.from(0, 4)).map(|_| label(random, &url)).collect::<Vec<_>>()))
        .raw("milestone", or_null(random, 30, |random| milestone(random, &url)))
        .text("commits_url", format!("{pull}/commits"))
        .text("review_comments_url", format!("{pull}/comments"))
        .text("review_comment_url", &comment)
        .text("comments_url", format!("{issue}/comments"))
        .text("statuses_url", &statuses)
        .raw("head", branch(random, &fork, true))
        .raw("base", branch(random, repository, false))
        .raw("_links", links.end())
        .text("author_association", random.of(&["OWNER", "CONTRIBUTOR", "NONE", "FIRST_TIME_CONTRIBUTOR"]))
        .raw("auto_merge", "null")
        .raw("active_lock_reason", "null")
        .raw("draft", random.percent(20))
        .raw("merged", false)
        .raw("mergeable", or_null(random, 50, |_| "true".to_owned()))
        .raw("rebaseable", or_null(random, 50, |_| "true".to_owned()))
        .text("mergeable_state", random.of(&["unknown", "clean", "blocked"]))
        .raw("merged_by", "null")
        .raw("comments", random.from(0, 9))
        .raw("review_comments", random.from(0, 9))
        .raw("maintainer_can_modify", random.percent(60))
        .raw("commits", random.from(1, 30))
        .raw("additions", random.from(0, 3_000))
        .raw("deletions", random.from(0, 3_000))
        .raw("changed_files", random.from(1, 90))
        .end()
}

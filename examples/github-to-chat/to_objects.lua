local event = headers["X-GitHub-Event"]
local repository = parameters.repository.full_name

local function issue(it)
  local labels = json.array({})
  for _, label in ipairs(it.labels) do
    table.insert(labels, label.name)
  end
  return objects.upsert("Issue", repository .. "#" .. it.number, {
    repository = repository,
    number = it.number,
    title = it.title,
    state = it.state,
    author = it.user.login,
    labels = labels,
    url = it.html_url,
  })
end

local function push(it)
  local messages = json.array({})
  for _, commit in ipairs(it.commits) do
    table.insert(messages, commit.message)
  end
  return objects.upsert("Push", it.after, {
    repository = repository,
    branch = string.gsub(it.ref, "^refs/heads/", "", 1),
    pusher = it.pusher.name,
    before = it.before,
    messages = messages,
    url = it.compare,
  })
end

if event == "issues" then
  local saved = issue(parameters.issue)
  log("issue", saved.id, parameters.action, "by", parameters.sender.login)
  return { saved = "Issue", id = saved.id }
elseif event == "push" then
  local saved = push(parameters)
  log("push of", #parameters.commits, "commits to", saved.branch)
  return { saved = "Push", id = saved.id }
end

-- GitHub sends a ping when the webhook is set up, and whatever else is ticked there.
log.warn("nothing to do for", event)
return { saved = json.null }

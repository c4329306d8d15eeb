-- Issues belong to no branch. A push names one, and only the default branch counts.
if headers["X-GitHub-Event"] ~= "push" then
  return { result = true }
end
return { result = parameters.ref == "refs/heads/" .. parameters.repository.default_branch }

-- No call
-- With exactly `false` the platform calls nobody: there is nothing to tell, or the script made its own calls. The run is a success.

-- given: UPDATE {"note":"a"} -> {"note":"b"}
return { requestNeeded = oldObject.state ~= nil }
-- result: {"requestNeeded":false}

-- Nothing is kept
-- Each run begins with fresh globals, and enable logic's are not core logic's. What is to be remembered is an object.

counter = (counter or 0) + 1
return { counter = counter }
-- result: {"counter":1}

-- Pauses 1 to 7 ms before each request of a connection, drawn so that connections do not fall into step.
function delay()
    return math.random(1, 7)
end

arrayJoin(arrayConcat(
    if(name = 'pageview', [], [('', '', '')]),
    if(name = 'pageview' OR currency = '', [], [('', '', currency)]),
    arrayMap(pair -> (pair.1, pair.2, ''), arrayFilter(pair -> pair.1 != '', CAST(props, 'Array(Tuple(String, String))')))))

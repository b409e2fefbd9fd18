// What @smartdcc/duis-parser makes of each file named on standard input, a line of JSON each.
'use strict'
const { parseDuis, constructDuis, isSimplifiedDuisOutputRequest } = require('@smartdcc/duis-parser')
const { readFileSync } = require('node:fs')

const plain = (value) => JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? part.toString() : part))

for (const file of readFileSync(0, 'utf8').split('\n').filter((line) => line !== '')) {
  try {
    const duis = parseDuis('simplified', readFileSync(file))
    const { header, body } = duis
    const again = parseDuis('simplified', constructDuis('simplified', duis))
    console.log(
      plain({
        request: isSimplifiedDuisOutputRequest(duis),
        originator: header.requestId.originatorId,
        target: header.requestId.targetId,
        counter: header.requestId.counter,
        commandVariant: header.commandVariant.number,
        webService: header.commandVariant.webService,
        reference: header.serviceReference,
        variant: header.serviceReferenceVariant,
        body: Object.keys(body),
        content: body,
        same: plain(duis) === plain(again),
      }),
    )
  } catch (error) {
    console.log(plain({ fault: `${error}` }))
  }
}

// Package answer decides what the answer to a HEAD means for its object. Its nouns:
//
//   - A Class is the meaning of one answer.
//   - Differences find out in which Traits the answers of a store always differ from its listing. All workers share
//     them.
//   - A Classifier classifies the answers that one worker gets, by the Differences.
//   - Evidence is what the answers to one batch show about the store. It counts when they are final (head.Trust).
//   - An Observation is what the Differences remember of one object between two HEADs.
package answer

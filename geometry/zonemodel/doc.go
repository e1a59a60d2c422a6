// Package zonemodel says in which zone a tag is by what each zone sounds like,
// learned from examples, without knowing where anything is. It is for places where
// geometry fails: in a vehicle, whose body shields receivers that are near; behind
// metal doors; between floors.
//
//	model, err := zonemodel.Learn(receivers, examples, zonemodel.DefaultConfig())
//	track := model.NewTrack()                        // per tag
//	shares = track.Update(at, samples, shares)       // per fix, like locate.Track
//	shown := decision.Decide(cfg, shares)            // package fence, as for positions
//
// # Method
//
// An example is what all receivers heard at one moment, in dB, and the zone that
// was true then. A zone is large and sounds different here and there, so its
// examples are condensed into a bounded number of prototypes (k-means), each with
// its share of the examples. What is heard is compared with each prototype
// receiver by receiver, with heavy tails; a receiver that hears nothing counts as
// hearing [Config.SilenceDBm], and a tag louder or fainter than the one that the
// model learned from is allowed for by a common shift.
//
// From second to second a tag tends to stay where it is ([Config.Stay]): the
// forward filter of a hidden Markov model, whose state is one probability per
// zone.
//
// # Limits
//
// The model knows the zones that it has examples of, and nothing of the outside
// unless that is one of them ([fence.Outside] is a zone like others). Receivers
// that are moved need new examples.
//
// # Concurrency
//
// A [Model] is immutable and safe for concurrent use; a [Track] belongs to one
// goroutine at a time. Nothing here reads a clock or a random source: equal
// examples give equal models.
package zonemodel

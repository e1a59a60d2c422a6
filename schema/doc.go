// Package schema is the vocabulary of MyBeacon: typed identifiers, what a
// scanner hears, what the engine derives from it, and the kinds of errors.
//
// Everybody imports it, it imports the standard library only. The words are
// those of the glossary in ARCHITECTURE.md; the ones that collide between
// products are settled here:
//
//   - Device is a managed endpoint with our agent; what carries a tag is an
//     asset or a person.
//   - Frame is the wire frame, the immutable unit a scanner spools; a site's
//     coordinate system is a plan's frame and is never called Frame.
//   - Zone is a named region drawn by a user.
//   - Visit is one enter…exit interval of a tag in a zone.
//
// Facts carry event time ([EventTime], when it happened at the receiver), not
// the time at which the server learned of them. Values are immutable once they
// were sent to an actor or a channel.
package schema

// Package images makes a picture of our own from one that somebody sent.
//
// What is kept and shown to others is never the bytes that came: they are decoded
// within limits and encoded again, so that whatever hid beside the pixels - where
// and by whom a photo was taken, scripts, a second file - is gone. What a picture
// is, is read from its content and never from a name or a header of the request.
//
// A picture of a few kilobytes may say that it has gigabytes of pixels, so its
// header is read first and decides. A [Decoder] decodes one picture at a time for
// all that ask; it is safe for concurrent use.
package images

package clickhouse

// Split is split, for tests of the package from outside.
var Split = split

// CopyAnswer is copyAnswer, likewise.
var CopyAnswer = copyAnswer

// Package temperature is the product that proves the contract between the core and
// its products: sensors with a name and their last reading. It is built by a test of
// engine/node only.
package temperature

package wire

import "mybeacon/schema"

// LoginMessage is what a device signs with its key to log in: at is the present time
// as it stands in the request.
func LoginMessage(device schema.DeviceID, at string) []byte {
	return []byte("mybeacon-device-token\n" + device.String() + "\n" + at)
}

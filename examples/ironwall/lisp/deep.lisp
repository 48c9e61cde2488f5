; What is not last in its function needs the stack, which has an end; the program goes on.
(define (deep n) (if (= n 0) 0 (+ 1 (deep (- n 1)))))
(print (deep 1000))
(print (deep 1000000))
(print (deep 1000))
